import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { feed } from '../../src/host/feed.ts';
import type { Command, Host } from '../../src/host/host.ts';
import { records, run } from '../../src/host/run.ts';
import { PsqlSession } from '../../src/postgres/session.ts';
import { sql } from '../../src/postgres/sql.ts';
import { UserError } from '../../src/util/errors.ts';
import { login } from '../support/login.ts';
import { useSandbox } from '../support/sandbox.ts';

const sandbox = useSandbox();

const sh = (script: string): Command => ({ argv: ['sh', '-c', script] });
/** Prints for ever. */
const ENDLESS_LINE = "yes | tr -d '\\n'";

const refused = (words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof UserError, String(error));
  assert.match(error.message, words);
  return true;
};

suite('a host that prints without end', () => {
  let host: Host;
  before(async () => {
    host = await login(sandbox, sandbox.ssh);
  });
  after(() => host?.[Symbol.asyncDispose]());

  test('a line without its end is not held', async () => {
    for (const mark of ['\n', '\0'] as const) {
      const lines = records(host, sh(`printf 'one\\n\\0'; ${ENDLESS_LINE}`), mark);
      await assert.rejects(
        Array.fromAsync(lines),
        refused(/^sh on the host printed a line of more than 1 MiB$/),
      );
    }
  });

  test('nor one that ends after all', async () => {
    const lines = records(host, sh('head -c 1048577 /dev/zero | tr "\\0" x; echo; echo two'), '\n');
    await assert.rejects(Array.fromAsync(lines), refused(/a line of more than 1 MiB/));
    const longest = records(host, sh('head -c 1048576 /dev/zero | tr "\\0" x; echo; echo two'), '\n');
    assert.deepEqual(
      (await Array.fromAsync(longest)).map(({ length }) => length),
      [1_048_576, 3],
    );
  });

  test('what a command answers is bounded, whether it is fed or not', async () => {
    await assert.rejects(
      run(host, sh(ENDLESS_LINE), { maxBytes: 1000 }),
      refused(/printed more than 1000 bytes/),
    );
    async function* source(): AsyncGenerator<Buffer> {
      yield Buffer.from('read by nobody');
    }
    await assert.rejects(
      feed(host, sh('yes'), source()),
      refused(/^sh on the host printed more than 67108864 bytes$/),
    );
  });

  test('a psql that is none does not fill the memory', async () => {
    await using endless = await PsqlSession.start(host, sh(ENDLESS_LINE));
    await assert.rejects(
      endless.lines(sql`SELECT 1`),
      refused(/^psql on the host printed a line of more than 1 MiB$/),
    );
    await using chatty = await PsqlSession.start(host, sh('yes "$(head -c 100000 /dev/zero | tr "\\0" x)"'));
    await assert.rejects(
      chatty.lines(sql`SELECT 1`),
      refused(/^psql on the host printed more than 256 MiB$/),
    );
  });
});
