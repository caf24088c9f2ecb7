import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { version } from '../../src/util/version.ts';

describe('the entry of the program', { concurrency: true }, () => {
  test('is what npx runs: the command odoo-backup of the package', async (t) => {
    const root = new URL('../../', import.meta.url);
    const { bin } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'));
    const folder = await mkdtemp(join(tmpdir(), 'bin-'));
    t.after(() => rm(folder, { recursive: true }));
    // npm links it into a folder of the PATH, and lets it be run.
    const [link, copy] = [join(folder, 'odoo-backup'), join(folder, bin['odoo-backup'])];
    await cp(new URL('dist', root), join(folder, 'dist'), { recursive: true });
    await chmod(copy, 0o755);
    await symlink(copy, link);
    const env = { PATH: `${folder}:${dirname(process.execPath)}:/usr/bin` };
    assert.equal((await promisify(execFile)('odoo-backup', ['--version'], { env })).stdout, `${version}\n`);
  });

  test('an older Node.js says that it is too old, in one line', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'old-'));
    t.after(() => rm(folder, { recursive: true }));
    const pretend = join(folder, 'old.cjs');
    await writeFile(pretend, "Object.defineProperty(process.versions, 'node', { value: '18.20.8' });");
    // As a module, as in the package, and as CommonJS, as where GitLab's component fetches dist alone.
    const entry = fileURLToPath(new URL('../../src/entry.js', import.meta.url));
    for (const name of ['main.mjs', 'main.cjs']) {
      await cp(entry, join(folder, name));
      const args = ['--require', pretend, join(folder, name)];
      const ended = await promisify(execFile)(process.execPath, args).catch((error) => error);
      assert.equal(ended.code, 1);
      assert.match(
        ended.stderr,
        /^error: odoo-backup needs Node.js 24 or newer, and this is 18\.20\.8\. .*\n$/,
      );
      assert.equal(ended.stderr.split('\n').length, 2);
    }
  });

  test('what was compiled is kept at home for the next start, and neither in a CI nor in the home of another', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'kept-'));
    t.after(() => rm(folder, { recursive: true }));
    const entry = join(folder, 'main.mjs');
    await cp(fileURLToPath(new URL('../../src/entry.js', import.meta.url)), entry);
    await mkdir(join(folder, 'program'));
    await writeFile(join(folder, 'program/main.mjs'), "export const start = () => console.log('started');");
    for (const [name, mode, more, expected] of [
      ['own', 0o755, {}, true],
      ['in-ci', 0o755, { CI: 'true' }, false],
      ['on-github', 0o755, { GITHUB_ACTIONS: 'true' }, false],
      ['open', 0o777, {}, false],
      ['absent', undefined, {}, false],
      ['open-cache', 0o755, { open: '.cache/odoo-backup' }, false],
    ] as const) {
      const home = join(folder, name);
      if (mode !== undefined) {
        await mkdir(home);
        await chmod(home, mode);
      }
      if ('open' in more) {
        await mkdir(join(home, more.open), { recursive: true });
        await chmod(join(home, '.cache'), 0o777);
      }
      const { stdout } = await promisify(execFile)(process.execPath, [entry], {
        env: { HOME: home, ...more },
      });
      assert.equal(stdout, 'started\n');
      const kept = globSync('.cache/odoo-backup/**/*', { cwd: home });
      assert.equal(kept.length > 0, expected, `${name}: ${kept}`);
    }
  });
});
