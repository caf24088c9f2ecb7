import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { BackupDescription } from '../../src/catalog/description.ts';
import { decodeDescription } from '../../src/catalog/description.ts';
import { parseKey } from '../../src/catalog/keys.ts';
import { parseReceipt, type Receipt } from '../../src/catalog/receipt.ts';
import { isPrintable } from '../../src/util/controls.ts';
import { ContentError } from '../../src/util/errors.ts';
import { parseJson } from '../../src/util/json.ts';
import { sampleReceipt } from '../support/sample-receipt.ts';

/** Every value of every field is one that a real system has. */
const description: BackupDescription = {
  version: 1,
  tool: { name: 'odoo-backup-action', version: '0.2.0' },
  database: 'prod',
  startedAt: '2026-02-03T04:05:06.123Z',
  odooVersion: 'saas~17.2',
  postgres: {
    server: '15.18 (Debian 15.18-0+deb12u1)',
    pgDump: 15,
    owner: 'odoo',
    encoding: 'UTF8',
    collate: 'fr_FR.UTF-8',
    ctype: 'fr_FR.UTF-8',
    localeProvider: 'libc',
    locale: null,
    privileges: ['=Tc/odoo', 'odoo=CTc/odoo', '"a ""b"=c*/"o\'d d"'],
    settings: [
      { role: null, setting: 'search_path="$user", public' },
      { role: 'odoo@acme.example', setting: 'odoo.greeting=Bonjour, ça va ?' },
    ],
    connectionLimit: 20,
  },
  databaseBytes: 123_456_789,
  extensions: [{ name: 'uuid-ossp', version: '1.1', schema: 'public', owner: 'postgres' }],
  extensionState: {
    schemas: [{ name: 'tiger data', owner: 'postgres' }],
    sequences: [{ schema: 'topology', name: 'topology_id_seq', last: '-9223372036854775808', called: true }],
    privileges: [
      {
        object: 'TABLE public.spatial_ref_sys',
        column: 'odd "name',
        privilege: 'SELECT',
        role: null,
        grantable: false,
        granted: true,
      },
    ],
  },
  roles: ['odoo', 'a b', "o'd", 'größe', 'odoo@acme.example', '😀', 'a"b;--', '$(id)'],
  counts: { res_partner: 7, 'sale.order': 0, 'Odd Table': 1 },
  sequencesBehind: ['res_users_id_seq'],
  attachments: { files: 3, inDatabase: 0, location: 'file' },
  filestore: {
    files: 3,
    bytes: 900,
    missing: ['ab/abcdef0123456789abcdef0123456789abcdef01', 'web/é “x”.css'],
    lost: [],
    corrupt: ['ab/ab'],
  },
};

const receipt: Receipt = {
  ...sampleReceipt,
  bucket: 'arn:aws:s3:eu-central-1:123456789012:accesspoint/backups',
  key: 'backups/acme/backups/prod_2026-02-03_04-05-06.zip',
  postgres: { server: '17.12 (Debian 17.12-1.pgdg120+1)', client: '17' },
  upload: {
    ...sampleReceipt.upload,
    copied: {
      from: 'acme/backups/prod_2026-02-02_04-05-06.zip',
      bytes: 1000,
      proof: 'etag',
      fullAt: '2026-02-01T04:05:06.000Z',
    },
  },
  proofs: [
    {
      level: 'restore',
      at: '2026-02-03T04:06:00.000Z',
      tool: { name: 'odoo-backup-action', version: '0.2.0' },
      programs: { pg_restore: '15.18', postgres: '17.12 (Debian 17.12-1.pgdg120+1)' },
      seconds: 12.345,
      failure: 'dump.sql is cut short: it lacks “PostgreSQL database dump complete”.',
    },
  ],
  description,
  durations: { dump: 1.5 },
  bytesSent: 1234,
  run: {
    platform: 'github',
    actor: 'dependabot[bot]',
    repository: 'Acme.io/odoo_16',
    commit: '5c0ffee',
    ref: 'refs/heads/feature/été-😀',
    url: 'https://github.example:8443/acme/odoo/actions/runs/1/attempts/1',
  },
};

const clone = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** The path of every text in a value. */
function textsOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value === 'string') return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => textsOf(item, [...path, name]));
}

function setAt(value: unknown, path: readonly (string | number)[], item: unknown): void {
  const at = path.slice(0, -1).reduce((inner, name) => (inner as Record<string, unknown>)[name], value);
  (at as Record<string | number, unknown>)[path.at(-1) ?? ''] = item;
}

function getAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce((inner, name) => (inner as Record<string, unknown>)[name], value);
}

function assertPrintable(value: unknown): void {
  if (typeof value === 'string') assert.ok(isPrintable(value), JSON.stringify(value));
  if (typeof value !== 'object' || value === null) return;
  for (const [name, item] of Object.entries(value)) {
    assertPrintable(name);
    assertPrintable(item);
  }
}

/** The receipt, or the one error that says why it is none, in words that can be printed. */
function parsed(value: unknown): Receipt | undefined {
  try {
    return parseReceipt(value, 's3://b/k.json');
  } catch (error) {
    assert.ok(error instanceof ContentError, String(error));
    assert.ok(isPrintable(error.message), JSON.stringify(error.message));
    return undefined;
  }
}

const control = fc.constantFrom(
  ...['\0', '\n', '\r', '\t', '\x1b', '\x7f', '\x85', '\x9b', '\u2028', '\u2029'],
  ...['\u202e', '\u2066', '\u2069', '\u200f', '\u061c', '\ud800', '\udfff'],
);

suite('texts that a bucket holds', () => {
  test('come back as they are where a real system has them', () => {
    assert.deepEqual(parseReceipt(clone(receipt), 's3://b/k'), receipt);
    assert.deepEqual(decodeDescription(clone(description), 'backup.json'), description);
  });

  test('never hold a control character, wherever it stands, and the message names the field', () => {
    const paths = textsOf(receipt);
    fc.assert(
      fc.property(fc.constantFrom(...paths), control, fc.nat(), (path, bad, place) => {
        const value = clone(receipt);
        const good = String(getAt(value, path));
        const at = place % (good.length + 1);
        setAt(value, path, good.slice(0, at) + bad + good.slice(at));
        const read = parsed(value);
        if (path.at(-1) === 'failure') return assertPrintable(read); // for people: what it may not hold is replaced
        assert.equal(read, undefined, path.join('.'));
        assert.throws(
          () => parseReceipt(value, 's3://b/k'),
          (error: Error) => error.message.includes(path.join('.').replaceAll(/\.(\d+)/g, '[$1]')),
        );
      }),
      { numRuns: 2000 },
    );
  });

  test('are printable in the names of records, and in fields that nobody knows', () => {
    fc.assert(
      fc.property(control, (bad) => {
        const counts = { [`a${bad}b`]: 1 };
        assert.equal(parsed({ ...clone(receipt), counts }), undefined);
        const more = { ...clone(receipt), later: bad, [`x${bad}`]: 1 };
        assertPrintable(parsed(more));
      }),
    );
  });

  test('are no statement', () => {
    const at = (object: string) => {
      const [privilege] = description.extensionState?.privileges ?? [];
      const extensionState = { ...description.extensionState, privileges: [{ ...privilege, object }] };
      return () => decodeDescription(clone({ ...description, extensionState }), 'backup.json');
    };
    for (const object of [
      'TABLE public.spatial_ref_sys',
      'TABLE "Odd ""one".x$1',
      'SEQUENCE topology.topology_id_seq',
      'ROUTINE public.st_area(public.geometry)',
      'ROUTINE public.f()',
      'ROUTINE public."F(x"(integer,text[],timestamp without time zone,"char",public."box2d")',
      'ROUTINE public.f(IN a character varying, OUT b double precision)',
      'TYPE public.geometry',
      'TYPE public."Odd"[]',
      'LANGUAGE plpython3u',
      'SCHEMA "tiger data"',
      'FOREIGN DATA WRAPPER postgres_fdw',
    ]) {
      assert.doesNotThrow(at(object), object);
    }
    for (const object of [
      'TABLE public.t TO odoo',
      'TABLE public.t, pg_authid',
      'TABLE public.t; DROP DATABASE prod',
      'TABLE public.t -- x',
      'TABLE "public".t" TO odoo --"',
      'TABLE',
      'DATABASE prod',
      'ROUTINE public.f() TO odoo',
      'ROUTINE public.f(integer), public.g(integer)',
      "ROUTINE public.f('x')",
      'ALL TABLES IN SCHEMA public',
    ]) {
      assert.throws(at(object), /privileges\[0\]\.object is "/, object);
    }
  });

  test('are known words, or look like what they are', () => {
    const { postgres } = description;
    const refused: readonly (readonly [path: string, value: unknown])[] = [
      ['postgres.localeProvider', 'libc\n\\! id'],
      ['postgres.localeProvider', 'provider'],
      ['postgres.encoding', 'SJIS'],
      ['postgres.encoding', 'utf8'],
      ['postgres.collate', 'C"; DROP'],
      ['postgres.collate', 'C\\'],
      ['postgres.locale', 'x'.repeat(129)],
      ['postgres.owner', 'é'.repeat(32)],
      ['postgres.owner', ''],
      ['postgres.privileges', ['odoo=CTc/odoo; GRANT']],
      ['postgres.privileges', ['CREATE']],
      ['postgres.settings', [{ role: null, setting: 'search_path' }]],
      ['postgres.settings', [{ role: null, setting: '=x' }]],
      ['postgres.connectionLimit', 2 ** 31],
      ['extensions', [{ name: 'x"; --', version: '1', schema: 's' }]],
      ['extensions', [{ name: 'x', version: "1'", schema: 's' }]],
      ['odooVersion', '17.0\n'],
      ['roles', 'odoo'],
      ['roles', Array.from({ length: 100_001 }, () => 'r')],
      ['startedAt', '2026-02-03T04:05:06'],
      ['startedAt', '(x) 3 Feb 2026 Z'],
      ['startedAt', '2026-13-03T04:05:06Z'],
    ];
    for (const [path, value] of refused) {
      const broken = clone(description);
      setAt(broken, path.split('.'), value);
      assert.throws(
        () => decodeDescription(broken, 'backup.json'),
        new RegExp(`^Error: backup.json.${path}`),
      );
    }
    const taken: readonly (readonly [field: keyof typeof postgres, value: string])[] = [
      ['collate', 'French_France.1252'],
      ['collate', 'Norwegian Bokmål_Norway.1252'],
      ['collate', "French_Côte d'Ivoire.1252"],
      ['collate', 'sr_RS.UTF-8@latin'],
      ['collate', 'C'],
      ['collate', ''],
      ['locale', 'und-u-ks-level2'],
      ['locale', 'en@colNumeric=yes;colCaseFirst=upper'],
      ['locale', 'PG_UNICODE_FAST'],
      ['server', '16.1 - Percona Server for PostgreSQL 16.1.1'],
      ['server', '18beta1'],
      ['owner', 'x'.repeat(63)],
    ];
    for (const [field, value] of taken) {
      const honest = { ...description, postgres: { ...postgres, [field]: value } };
      assert.deepEqual(decodeDescription(clone(honest), 'backup.json'), honest);
    }
  });

  test('cost no more time than they are long, where they almost have a shape', () => {
    const almost = `ROUTINE public.f(${'"a"'.repeat(2600)}`;
    const [privilege] = description.extensionState?.privileges ?? [];
    const extensionState = { ...description.extensionState, privileges: [{ ...privilege, object: almost }] };
    assert.throws(() => decodeDescription({ ...description, extensionState }, 'backup.json'));
  });

  test('are keys of backups only with the name of a database', () => {
    fc.assert(
      fc.property(control, (bad) => {
        assert.equal(parseKey('acme/', `acme/pr${bad}od_2026-02-03_04-05-06.zip`), undefined);
      }),
    );
    assert.equal(parseKey('acme/', `acme/${'x'.repeat(64)}_2026-02-03_04-05-06.zip`), undefined);
    assert.equal(parseKey('acme/', 'acme/a "b" 😀_2026-02-03_04-05-06.zip')?.database, 'a "b" 😀');
  });
});

suite('JSON that a bucket holds', () => {
  test('whatever it is, is a receipt with printable texts, or none', () => {
    const anything = fc.jsonValue({ maxDepth: 6 });
    fc.assert(
      fc.property(anything, (value) => assertPrintable(parsed(value))),
      { numRuns: 1000 },
    );
    // The same, one field of a real one at a time.
    const names = Object.keys(receipt);
    fc.assert(
      fc.property(fc.constantFrom(...names), anything, (name, value) => {
        assertPrintable(parsed({ ...clone(receipt), [name]: value }));
      }),
      { numRuns: 2000 },
    );
  });

  test('makes nothing of __proto__, constructor and their like', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'];
    const counts = `{${names.map((name) => `"${name}":1`).join(',')}}`;
    const text = JSON.stringify(receipt).replace(
      '{"version":1',
      `{"__proto__":{"size":1,"admin":true},"counts":{},"version":1`,
    );
    const read = parseReceipt(
      JSON.parse(text.replace('"counts":{"res_partner":7}', `"counts":${counts}`)),
      'x',
    );
    assert.equal(Object.getPrototypeOf(read), Object.prototype);
    assert.equal(({} as { admin?: boolean }).admin, undefined);
    assert.equal(read.size, receipt.size);
    // A field that is missing is not found in a prototype.
    const missing: Record<string, unknown> = { ...clone(receipt) };
    delete missing.size;
    assert.equal(
      parsed(JSON.parse(`{"__proto__":{"size":1234},${JSON.stringify(missing).slice(1)}`)),
      undefined,
    );
  });

  test('that is nested deep, holds too much, or is no UTF-8 is refused before it is built', () => {
    const refused = (text: string | Buffer) => () => parseJson(Buffer.from(text));
    assert.throws(refused('['.repeat(1_000_000)), /nests deeper than 32 levels/);
    assert.throws(refused('{"a":'.repeat(100_000)), /nests deeper than 32 levels/);
    assert.throws(refused(`[${'0,'.repeat(5_000_001)}0]`), /holds more than 5000000 values/);
    assert.throws(refused(Buffer.from([0x22, 0xff, 0x22])), /it is not UTF-8/);
    const deep = 'x'.repeat(100);
    assert.deepEqual(parseJson(Buffer.from(`{"a":"[[[\\"{{${deep}","b":[1]}`)), {
      a: `[[["{{${deep}`,
      b: [1],
    });
  });

  test('is parsed as JSON.parse does where it is honest', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 10 }), (value) => {
        const text = JSON.stringify(value);
        assert.deepEqual(parseJson(Buffer.from(text)), JSON.parse(text));
      }),
    );
  });
});
