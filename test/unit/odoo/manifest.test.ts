import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { OdooDatabase } from '../../../src/odoo/database.ts';
import { odooManifest } from '../../../src/odoo/manifest.ts';
import { PgVersion } from '../../../src/postgres/version.ts';

const database = {
  odooVersion: '17.0',
  modules: { base: '17.0.1.3', web: '17.0.1.0' },
} as unknown as OdooDatabase;
const manifest = (odooVersion: string, serverVersion = new PgVersion(150_018, '15.18')) =>
  JSON.parse(odooManifest('prod', { ...database, odooVersion }, serverVersion));

suite('manifest.json', () => {
  test('is written as Odoo writes it: json.dumps(…, indent=4)', () => {
    assert.equal(
      odooManifest('prod', database, new PgVersion(150_018, '15.18')),
      `{
    "odoo_dump": "1",
    "db_name": "prod",
    "version": "17.0",
    "version_info": [
        17,
        0,
        0,
        "final",
        0,
        ""
    ],
    "major_version": "17.0",
    "pg_version": "15.0",
    "modules": {
        "base": "17.0.1.3",
        "web": "17.0.1.0"
    }
}`,
    );
  });

  // odoo/release.py of each: version_info = (17, 0, 0, FINAL, 0, '') or ('saas~17', 2, 0, FINAL, 0, '').
  const versions: [string, unknown[]][] = [
    ['14.0', [14, 0, 0, 'final', 0, '']],
    ['19.0', [19, 0, 0, 'final', 0, '']],
    ['saas~17.2', ['saas~17', 2, 0, 'final', 0, '']],
  ];
  for (const [version, info] of versions) {
    test(`names ${version}`, () => {
      const { version: name, version_info, major_version } = manifest(version);
      assert.deepEqual(
        { name, version_info, major_version },
        { name: version, version_info: info, major_version: version },
      );
    });
  }

  // Odoo: "%d.%d" % divmod(cr._obj.connection.server_version / 100, 100)
  const servers: [number, string][] = [
    [90_624, '9.6'],
    [100_000, '10.0'],
    [130_022, '13.0'],
    [180_001, '18.0'],
  ];
  for (const [number, text] of servers) {
    test(`names PostgreSQL ${number} as ${text}`, () =>
      assert.equal(manifest('17.0', new PgVersion(number, '')).pg_version, text));
  }
});
