import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { version } from '../../src/util/version.ts';
import { cleanEnvironment, Scene } from '../support/backup-run.ts';
import { copyProject, type ProjectCopy } from '../support/project-copy.ts';

suite('a dry run of a release, of what the source makes', () => {
  let copy: ProjectCopy;
  let folder: string;
  const out = () => join(folder, 'release');
  before(() => {
    copy = copyProject();
    folder = mkdtempSync(join(tmpdir(), 'release-'));
  });
  after(() => {
    for (const each of [folder, copy.folder]) rmSync(each, { recursive: true });
  });
  const PATH = `${dirname(process.execPath)}:${process.env.PATH}`;
  const inFolder = (cwd: string, program: string, ...args: readonly string[]) => {
    const npm = { npm_config_offline: 'true', npm_config_update_notifier: 'false' }; // nothing is fetched
    return execFileSync(program, args, {
      cwd,
      env: { PATH, HOME: folder, ...npm },
      encoding: 'utf8',
      stdio: 'pipe',
    });
  };

  test('is refused where dist/ is another byte than what the source makes', () => {
    copy.node('scripts/bundle.ts');
    const main = join(copy.folder, 'dist/main.js');
    const before = readFileSync(main);
    writeFileSync(main, `${before}\n`);
    assert.throws(() => copy.node('scripts/release.ts', '--dry-run', out()), /dist\/main\.js is stale/);
    writeFileSync(main, before);
  });

  test('makes the package, an SBOM, notes and checksums', () => {
    copy.node('scripts/release.ts', '--dry-run', out());
    const files = [`odoo-backup-action-${version}.tgz`, 'notes.md', 'sbom.cdx.json', 'SHA256SUMS'];
    assert.deepEqual(readdirSync(out()).toSorted(), files.toSorted());
    inFolder(out(), 'sha256sum', '--check', '--strict', 'SHA256SUMS');
    assert.match(readFileSync(join(out(), 'notes.md'), 'utf8'), /^- `backup` streams /m);
    const bom = JSON.parse(readFileSync(join(out(), 'sbom.cdx.json'), 'utf8')) as {
      bomFormat: string;
      metadata: { component: { name: string; version: string } };
      components: { name: string; group?: string; purl: string }[];
    };
    assert.equal(bom.bomFormat, 'CycloneDX');
    assert.equal(bom.metadata.component.version, version);
    const packages = bom.components.map(({ purl }) => purl);
    assert.ok(packages.some((purl) => purl.startsWith('pkg:npm/ssh2@')));
    assert.ok(!packages.some((purl) => purl.includes('biome')), 'what only builds it');
  });

  test('whose package, installed into an empty project, brings no other and makes a backup', async () => {
    const project = mkdtempSync(join(folder, 'empty-'));
    writeFileSync(join(project, 'package.json'), '{ "private": true }\n');
    inFolder(
      project,
      'npm',
      'install',
      '--no-audit',
      '--no-fund',
      join(out(), `odoo-backup-action-${version}.tgz`),
    );
    assert.deepEqual(
      readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.')),
      ['odoo-backup-action'],
    );
    assert.equal(inFolder(project, 'npx', '--no', '--', 'odoo-backup', '--version'), `${version}\n`);
    const installed = JSON.parse(
      readFileSync(join(project, 'node_modules/odoo-backup-action/package.json'), 'utf8'),
    );
    assert.match(installed.repository.url, /^git\+https:\/\/github\.com\//, 'provenance needs it');
    assert.equal(installed.scripts, undefined);

    await using scene = await Scene.open();
    const flags = Object.entries(scene.inputs).map(([name, value]) => `--${name}=${value}`);
    const stdout = execFileSync(join(project, 'node_modules/.bin/odoo-backup'), ['backup', ...flags], {
      env: { ...cleanEnvironment(scene.sandbox.s3), PATH },
      encoding: 'utf8',
      stdio: 'pipe',
    });
    const made = await scene.made({ exitCode: 0, stdout, log: '' });
    assert.equal(made.outputs.database, scene.odoo.database);
    assert.equal(made.receipt.database, scene.odoo.database);
  });
});
