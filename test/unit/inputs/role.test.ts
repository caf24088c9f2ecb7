import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RawInputs } from '../../support/inputs.ts';
import { inputsFixture } from '../../support/inputs.ts';

const arn = 'arn:aws:iam::123456789012:role/path/odoo-backup';

describe('the role that a job assumes', () => {
  test('has defaults for all but its ARN', () => {
    assert.deepEqual(inputsFixture({ 'aws-role-arn': arn }).s3.role, {
      arn,
      audience: 'sts.amazonaws.com',
      sessionName: 'odoo-backup',
      durationSeconds: 3600,
      endpoint: 'https://sts.eu-central-1.amazonaws.com',
      region: 'eu-central-1',
    });
  });

  test('is none without its ARN, whatever else a profile says of it', () => {
    assert.equal(inputsFixture({ 'aws-role-duration': '2h' }).s3.role, undefined);
  });

  test('is assumed at the STS service that the environment names, for a server other than Amazon’s', () => {
    const env = { AWS_ENDPOINT_URL_STS: 'https://sts.example.com' };
    const { role } = inputsFixture({ 'aws-role-arn': arn, 's3-endpoint': 'https://s3.example.com' }, env).s3;
    assert.equal(role?.endpoint, 'https://sts.example.com');
  });

  const refused: readonly (readonly [RawInputs, Record<string, string>, RegExp])[] = [
    [{ 'aws-role-arn': 'odoo-backup' }, {}, /aws-role-arn: 'odoo-backup' is not the ARN of a role/],
    [{ 'aws-role-arn': 'arn:aws:iam::123456789012:user/x' }, {}, /aws-role-arn: .* is not the ARN of a role/],
    [{ 'aws-role-duration': '14m' }, {}, /aws-role-duration: '14m' is not a duration from 15m to 12h/],
    [{ 'aws-role-session-name': 'a b' }, {}, /aws-role-session-name: 'a b' is not a name/],
    [{ 'aws-audience': 'a b' }, {}, /aws-audience: 'a b' is not an audience/],
    [{ 's3-endpoint': 'https://s3.example.com' }, {}, /the STS service is not known.* AWS_ENDPOINT_URL_STS/s],
    [{}, { AWS_ENDPOINT_URL_STS: 'http://sts.example.com' }, /AWS_ENDPOINT_URL_STS is no https:\/\/ URL/],
  ];
  for (const [inputs, env, message] of refused) {
    test(`${JSON.stringify({ ...inputs, ...env })} is refused`, () =>
      assert.throws(() => inputsFixture({ 'aws-role-arn': arn, ...inputs }, env), { message }));
  }
});
