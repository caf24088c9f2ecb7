import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { stringify } from 'yaml';
import { runWorkflow } from '../../support/github-runner.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

suite('a workflow that another repository calls', () => {
  let folder: string;
  let origin: string;
  const commits: string[] = [];
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-C', origin, '-c', 'user.name=Ann', '-c', 'user.email=ann@example.com', ...args], {
      encoding: 'utf8',
    }).trim();

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'called-'));
    origin = join(folder, 'origin');
    for (const path of ['.github/workflows', '.github/actions', 'action.yml'])
      cpSync(join(root, path), join(origin, path), { recursive: true });
    git('init', '--quiet', '--initial-branch=main');
    // Two programs, one after the other, that say which they are, and what came to them.
    for (const number of [1, 2]) {
      mkdirSync(join(origin, 'dist'), { recursive: true });
      const said = `console.log('program ${number}', process.env['INPUT_S3-BUCKET'], process.env.AWS_ACCESS_KEY_ID);`;
      writeFileSync(join(origin, 'dist/main.js'), said);
      git('add', '--all');
      git('commit', '--quiet', '--message', String(number));
      git('tag', '--force', 'v0');
      commits.push(git('rev-parse', 'HEAD'));
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Runs a workflow of a second repository, which calls ours at this ref. */
  async function callAt(ref: string): Promise<string> {
    const caller = mkdtempSync(join(folder, 'caller-'));
    const job = {
      uses: `acme-tools/backups/.github/workflows/odoo-backup.yml@${ref}`,
      permissions: { contents: 'read', 'id-token': 'write' },
      secrets: 'inherit',
      with: { 's3-bucket': 'backups' },
    };
    writeFileSync(join(caller, 'nightly.yml'), stringify({ on: { push: {} }, jobs: { backup: job } }));
    const { jobs, log } = await runWorkflow('nightly.yml', folder, {
      source: { root: pathToFileURL(`${caller}/`), main: '/nonexistent' },
      repositories: { 'acme-tools/backups': origin },
      secrets: { AWS_ACCESS_KEY_ID: 'key-of-the-environment' },
      idToken: {},
      env: { PATH: process.env.PATH ?? '', HOME: folder },
    });
    assert.equal(jobs.backup?.result, 'success', log);
    return log;
  }

  test('runs the program of the commit that the caller has pinned, whatever came after it', async () => {
    for (const [at, commit] of commits.entries()) {
      assert.match(
        await callAt(commit),
        new RegExp(`^program ${at + 1} backups key-of-the-environment$`, 'm'),
      );
    }
    assert.match(await callAt('v0'), /^program 2 /m);
  });
});
