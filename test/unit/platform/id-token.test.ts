import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { jobToken } from '../../../src/platform/id-token.ts';
import { UserError } from '../../../src/util/errors.ts';
import { startTokenService } from '../../support/sts.ts';

const refusalOf = async (promise: Promise<unknown>): Promise<UserError> => {
  const error = await promise.then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof UserError, String(error));
  return error;
};

describe('the ID token of a job', () => {
  test('is a new one of GitHub’s each time, for the audience', async () => {
    await using github = await startTokenService();
    const audience = 'https://sts.example.com/a&b=c';
    const tokens = [await jobToken(audience, github.variables), await jobToken(audience, github.variables)];
    assert.deepEqual(tokens, github.tokens);
    assert.notEqual(tokens[0], tokens[1]);
    assert.deepEqual(
      github.requests.map((each) => each.audience),
      [audience, audience],
    );
  });

  test('is asked for again where GitHub fails', async () => {
    await using github = await startTokenService([503, 429]);
    assert.deepEqual([await jobToken('a', github.variables, 0)], github.tokens);
  });

  test('is not asked for again where GitHub refuses it, and the error says what the job needs', async () => {
    await using github = await startTokenService([403]);
    const error = await refusalOf(jobToken('a', github.variables, 0));
    assert.match(error.message, /GitHub gave this job no ID token: HTTP 403/);
    assert.match(error.hint, /id-token: write/);
    assert.equal(github.requests.length, 1);
    assert.doesNotMatch(error.message + error.hint, /bearer-of-the-job/);
  });

  test('is read from the file anew each time', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'id-token-'));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, 'token');
    for (const token of ['eyJ0.eyJh.c2ln', 'eyJ0.eyJi.c2ln']) {
      await writeFile(file, `${token}\n`);
      assert.equal(await jobToken('a', { AWS_WEB_IDENTITY_TOKEN_FILE: file }), token);
    }
    await writeFile(file, 'PRIVATE no token');
    const error = await refusalOf(jobToken('a', { AWS_WEB_IDENTITY_TOKEN_FILE: file }));
    assert.match(error.message, /holds no ID token/);
    assert.doesNotMatch(error.message, /PRIVATE/);
    await rm(file);
    assert.match(
      (await refusalOf(jobToken('a', { AWS_WEB_IDENTITY_TOKEN_FILE: file }))).message,
      /cannot be read/,
    );
  });

  test('is missing in a job that may have none: the error says what to do', async () => {
    const error = await refusalOf(jobToken('a', {}));
    assert.match(error.hint, /id-token: write.*id_tokens.*AWS_WEB_IDENTITY_TOKEN_FILE/);
  });
});
