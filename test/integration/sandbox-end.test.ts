import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { descendants, processes, run } from '../support/processes.ts';
import { startSandbox, useSandbox } from '../support/sandbox.ts';

const sandbox = useSandbox();
const startScript = join(import.meta.dirname, '../support/start.ts');

describe('The end', () => {
  const start = async (
    env: Record<string, string>,
  ): Promise<{ parent: ChildProcess; folder: string; pids: number[] }> => {
    const parent = spawn(process.execPath, [startScript], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: parent.stdout });
    const [line] = (await once(lines, 'line')) as [string];
    return { parent, folder: dirname(line.replace('SANDBOX=', '')), pids: await descendants(parent.pid) };
  };
  const running = async (pids: number[]) => (await processes()).filter(({ pid }) => pids.includes(pid));
  const gone = async (pids: number[]) => {
    while ((await running(pids)).length > 0) await sleep(50);
  };
  // Whose Ceph it is makes no difference to these.
  const given = {
    S3_TEST_ENDPOINT: sandbox.s3.endpoint,
    S3_TEST_ACCESS_KEY_ID: sandbox.s3.accessKeyId,
    S3_TEST_SECRET_ACCESS_KEY: sandbox.s3.secretAccessKey,
  };

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`comes with ${signal}: no server, no folder`, async () => {
      const { parent, folder, pids } = await start(given);
      assert.ok(pids.length >= 3);
      parent.kill(signal);
      parent.kill(signal); // npm hands on what the terminal has already sent
      const [code] = await once(parent, 'exit');
      assert.equal(code, signal === 'SIGINT' ? 130 : 143);
      assert.deepEqual(await running(pids), []);
      assert.equal(existsSync(folder), false);
    });
  }

  it('comes in the middle of the start: no server, no folder', async () => {
    const folder = join(sandbox.folder, 'unfinished');
    await mkdir(folder);
    const parent = spawn(process.execPath, [startScript], {
      env: { ...process.env, TMPDIR: folder },
      stdio: 'ignore',
    });
    const exited = once(parent, 'exit');
    while ((await descendants(parent.pid)).length < 4) await sleep(10);
    const pids = await descendants(parent.pid);
    parent.kill('SIGTERM');
    assert.equal((await exited)[0], 143);
    await gone(pids);
    assert.deepEqual(await readdir(folder), []);
  });

  it('comes with SIGKILL: no server', async () => {
    const { parent, folder, pids } = await start({});
    assert.ok(pids.length >= 3);
    parent.kill('SIGKILL');
    await gone(pids);
    await run(['rm', '-rf', folder]);
  });

  it('comes when a test run is over: no server, no folder', async () => {
    const own = await startSandbox();
    const pids = await descendants(process.pid);
    assert.ok(pids.length >= 3);
    await own[Symbol.asyncDispose]();
    assert.deepEqual(await running(pids), []);
    assert.equal(existsSync(own.folder), false);
  });
});
