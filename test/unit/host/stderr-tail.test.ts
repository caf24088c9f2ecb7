import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { suite, test } from 'node:test';
import { tailOf } from '../../../src/host/stderr-tail.ts';

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
