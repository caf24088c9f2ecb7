import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { LocalHost } from '../../../../src/host/local-host.ts';
import { GuestProcess } from '../../../../src/odoo/boot/guest-process.ts';
import { OdooLog } from '../../../../src/odoo/boot/odoo-log.ts';

/** A child that hears no request to end; its parent ends before it. */
const DEAF = `sh -c 'trap "" HUP INT TERM; echo $$; while :; do sleep 1; done'`;

suite('a program of a guest', () => {
  const start = async (host: LocalHost, shell: string) => {
    const lines: string[] = [];
    const told = Promise.withResolvers<string>();
    const log = Object.assign(new OdooLog(), {
      add(line: string) {
        lines.push(line);
        if (line !== '') told.resolve(line);
      },
    });
    const program = await GuestProcess.start(host, { argv: ['sh', '-c', shell] }, log, 1);
    return { program, lines, first: told.promise };
  };
  /** Not: what has ended, and nobody has waited for. */
  const runs = (pid: number): boolean => {
    try {
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  };

  for (const [shell, code] of [
    ['exit 0', 0],
    ['exit 7', 7],
    ['kill -s KILL $$', 137],
    ['printf "no line break"; exit 3', 3],
  ] as const) {
    test(`has the exit code ${code}: ${shell}`, async () => {
      await using host = new LocalHost();
      const { program } = await start(host, shell);
      await using _ = program;
      assert.equal(await program.exited, code);
    });
  }

  test('ends with all that it has started, also where its shell ends first', async () => {
    await using host = new LocalHost();
    const { program, first } = await start(host, `${DEAF}; true`);
    const pid = Number(await first);
    assert.ok(runs(pid));
    await program[Symbol.asyncDispose]();
    assert.ok(!runs(pid));
  });

  test('goes first where memory is short', async () => {
    await using host = new LocalHost();
    const { program, first } = await start(host, 'cat /proc/self/oom_score_adj');
    await using _ = program;
    assert.equal(await first, '1000');
  });

  test('cannot tell its own end by what it prints', async () => {
    await using host = new LocalHost();
    const { program, lines } = await start(host, 'echo 00000000-0000-0000-0000-000000000000 0; exit 5');
    await using _ = program;
    assert.equal(await program.exited, 5);
    assert.ok(lines.includes('00000000-0000-0000-0000-000000000000 0'));
  });
});
