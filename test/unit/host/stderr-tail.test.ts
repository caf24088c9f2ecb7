import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { suite, test } from 'node:test';
import { CommandError } from '../../../src/host/host.ts';
import { LocalHost } from '../../../src/host/local-host.ts';
import { run } from '../../../src/host/run.ts';
import { sayingEnd, tailOf } from '../../../src/host/stderr-tail.ts';

suite('the end of standard error', () => {
  const texts: [what: string, written: readonly string[], kept: string][] = [
    ['nothing', [], ''],
    ['a line', ['tar: Permission denied\n'], 'tar: Permission denied'],
    ['as many bytes as are kept', ['x'.repeat(4096)], 'x'.repeat(4096)],
    ['more, in pieces', ['lost', 'x'.repeat(4000), 'y'.repeat(96)], 'x'.repeat(4000) + 'y'.repeat(96)],
    ['more, cut inside a character', ['€', 'x'.repeat(4095)], 'x'.repeat(4095)],
  ];
  for (const [what, written, kept] of texts) {
    test(what, async () => {
      const stderr = new PassThrough();
      const tail = tailOf(stderr);
      for (const text of written) stderr.write(text);
      await new Promise((resolve) => stderr.end().on('end', resolve));
      assert.equal(tail(), kept);
    });
  }
});

suite('a command of whose standard error the end alone is sent', () => {
  const ended = async (script: string) => {
    await using host = new LocalHost();
    const command = sayingEnd({ argv: ['sh', '-c', script, 'sh', "it's"] });
    return await run(host, command).catch((error: unknown) => {
      assert.ok(error instanceof CommandError);
      return error.exit;
    });
  };

  test('prints what it prints', async () => {
    assert.equal(await ended('echo no >&2; echo "$1"; echo yes'), "it's\nyes\n");
  });

  test('has its exit code, and the end of what it said', async () => {
    const said = 'i=0; while [ $i -lt 5000 ]; do i=$((i + 1)); echo "line $i"; done >&2';
    const exit = await ended(`${said}; exit 7`);
    assert.ok(typeof exit === 'object');
    assert.deepEqual([exit.code, exit.signal], [7, undefined]);
    assert.match(exit.stderr, /\nline 4999\nline 5000$/);
  });

  test('ends by its signal', async () => {
    const exit = await ended('echo last >&2; kill -s KILL $$');
    assert.ok(typeof exit === 'object');
    assert.deepEqual([exit.code, exit.signal], [undefined, 'KILL']);
    assert.match(exit.stderr, /^last$/m);
  });
});
