import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { parse } from 'yaml';
import { hosts } from '../../../src/commands/hosts.ts';
import type { HostsInputs } from '../../../src/inputs/hosts.ts';
import { parseInputs } from '../../../src/inputs/parse.ts';
import { childPipeline } from '../../../src/platform/gitlab-pipeline.ts';
import { Phases } from '../../../src/platform/phases.ts';
import type { Platform, PlatformName } from '../../../src/platform/platform.ts';
import { type RawInputs, reader } from '../../support/inputs.ts';

const folder = mkdtempSync(join(tmpdir(), 'hosts-'));
after(() => rmSync(folder, { recursive: true }));

function inventory(yaml: string): string {
  const path = join(folder, 'hosts.yml');
  writeFileSync(path, yaml);
  return path;
}

function parsed(inputs: RawInputs): HostsInputs {
  const found = parseInputs(reader({ command: 'hosts', ...inputs }), {});
  assert.ok(found.command === 'hosts');
  return found;
}

const fleet = `
all:
  vars:
    odoo_backup_profiles:
      production: {every: 24h}
      staging: {every: 12h}
  children:
    production:
      vars: {odoo_backup_environment: production}
      hosts:
        shop1: {dbname: one}
        shop2: {dbname: [two, three]}
        shop3: {odoo_conf: /srv/odoo.conf}
    staging:
      vars: {odoo_backup_environment: staging}
      hosts:
        test1: {dbname: '/^t(a|b),?$/'}
    loadbalancers:
      hosts: {lb1: }
`;

suite('hosts', () => {
  test('is one job for each host and database; hosts without an Odoo are left out', () => {
    const { jobs, leftOut } = parsed({ inventory: inventory(fleet) });
    const production = { environment: 'production', every: '24h' };
    assert.deepEqual(jobs, [
      { host: 'shop1', database: 'one', ...production },
      { host: 'shop2', database: 'two', ...production },
      { host: 'shop2', database: 'three', ...production },
      { host: 'shop3', database: '', ...production },
      { host: 'test1', database: '/^t(a|b),?$/', environment: 'staging', every: '12h' },
    ]);
    assert.deepEqual(leftOut, ['lb1']);
  });

  test('takes those of limit and environment alone', () => {
    const path = inventory(fleet);
    const names = (inputs: RawInputs) => parsed({ inventory: path, ...inputs }).jobs.map(({ host }) => host);
    assert.deepEqual(names({ limit: 'production,!shop2' }), ['shop1', 'shop3']);
    assert.deepEqual(names({ environment: 'staging' }), ['test1']);
  });

  const wrong: Record<string, { inputs: RawInputs; message: RegExp }> = {
    'no inventory': { inputs: {}, message: /inventory: is required/ },
    'a limit that means none': {
      inputs: { limit: 'shops' },
      message: /limit: 'shops' is no host and no group/,
    },
    'an environment that means none': {
      inputs: { environment: 'x' },
      message: /environment: no host is of 'x'/,
    },
    'hosts without an Odoo only': { inputs: { limit: 'lb1' }, message: /has no host with an Odoo/ },
    'one host': { inputs: { host: 'shop1' }, message: /host: is for the other commands/ },
  };
  for (const [name, { inputs, message }] of Object.entries(wrong)) {
    test(`refuses ${name}`, () => {
      const path = inventory(fleet);
      const given = name === 'no inventory' ? {} : { inventory: path };
      assert.throws(() => parsed({ ...given, ...inputs }), message);
    });
  }

  test('refuses what would be refused when the job runs', () => {
    const path = inventory("all: {hosts: {a: {dbname: '{{ x | y }}', odoo_backup_lst: 1}}}");
    assert.throws(
      () => parsed({ inventory: path }),
      /odoo_backup_lst.*is no input(.|\n)*is for Ansible to resolve/,
    );
  });

  test('refuses two hosts whose backups would be one history', () => {
    const shops = (vars: string) =>
      inventory(`all: {vars: {${vars}}, hosts: {a: {dbname: prod}, b: {dbname: [x, prod]}}}`);
    assert.throws(() => parsed({ inventory: shops('') }), /backups of prod on a and on b would be mixed up/);
    const own = parsed({ inventory: shops("odoo_backup_customer: '{{ inventory_hostname }}'") });
    assert.equal(own.jobs.length, 3);
  });

  test('keeps to what GitHub takes in one matrix, and says how to split it', async () => {
    const many = (count: number) =>
      parsed({
        inventory: inventory(
          `all: {vars: {odoo_backup_customer: '{{ inventory_hostname }}'}, hosts: {'h[1:${count}]': {dbname: x}}}`,
        ),
      });
    assert.equal((await told('github', many(256))).outputs.length, 1);
    await assert.rejects(told('github', many(257)), /257 jobs: a matrix of GitHub's takes 256/);
    assert.match((await told('terminal', many(257))).warnings.join(), /takes 256.*with limit/);
    assert.deepEqual((await told('gitlab', many(257))).warnings, []);
  });
});

/** What the command says on a platform. */
async function told(
  name: PlatformName,
  inputs: HostsInputs,
): Promise<{ outputs: string[]; warnings: string[] }> {
  const said = { outputs: [] as string[], warnings: [] as string[] };
  const platform: Pick<Platform, 'run' | 'info' | 'warning' | 'output' | 'summary'> = {
    run: { platform: name },
    info: () => {},
    warning: (message) => said.warnings.push(message),
    output: (output) => said.outputs.push(output),
    summary: async () => {},
  };
  await hosts(inputs, {
    platform: platform as Platform,
    phases: new Phases(platform as Platform),
    signal: new AbortController().signal,
  });
  return said;
}

test('a child pipeline of GitLab’s has the same jobs, with values that GitLab leaves alone', () => {
  const { jobs } = parsed({ inventory: inventory(fleet) });
  const pipeline = parse(childPipeline(JSON.stringify({ include: jobs })));
  assert.deepEqual(Object.keys(pipeline), [
    'odoo shop1 one',
    'odoo shop2 two',
    'odoo shop2 three',
    'odoo shop3',
    'odoo test1 /^t(a|b),?$/',
  ]);
  assert.deepEqual(pipeline['odoo shop3'], {
    extends: '.odoo-backup',
    variables: { ODOO_BACKUP_HOST: 'shop3', ODOO_BACKUP_ENVIRONMENT: 'production' },
  });
  assert.deepEqual(pipeline['odoo test1 /^t(a|b),?$/'].variables.ODOO_BACKUP_DATABASE, {
    value: '/^t(a|b),?$/',
    expand: false,
  });
});
