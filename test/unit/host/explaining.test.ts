import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { explaining } from '../../../src/host/explaining.ts';
import { CommandError } from '../../../src/host/host.ts';
import { UserError } from '../../../src/util/errors.ts';

suite('what the failure of a command means', () => {
  const words = explaining(({ exit }) => [`It cannot be renamed: ${exit.stderr}`, 'Rename it by hand.']);

  test('is a UserError with the error as its cause', async () => {
    const exit = { code: 1, signal: undefined, stderr: 'mv: Permission denied' };
    const cause = new CommandError({ argv: ['mv', 'a', 'b'] }, exit);
    const error = await Promise.reject(cause)
      .catch(words)
      .catch((error: unknown) => error);
    assert.ok(error instanceof UserError);
    assert.equal(error.message, 'It cannot be renamed: mv: Permission denied');
    assert.equal(error.hint, 'Rename it by hand.');
    assert.equal(error.cause, cause);
  });

  test('is not said of another error, which is thrown as it is', async () => {
    const lost = new Error('The connection is lost');
    await assert.rejects(Promise.reject(lost).catch(words), (error) => error === lost);
  });
});
