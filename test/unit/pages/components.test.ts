import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { type ComponentName, componentNames, jobInputs, programInputs } from '../../../scripts/components.ts';
import { readAction } from '../../../scripts/docs.ts';
import { parseInputs } from '../../../src/inputs/parse.ts';
import { type InputDefinition, inputNamed, inputTable } from '../../../src/inputs/table.ts';
import { variableOf } from '../../../src/platform/variables.ts';
import {
  type Component,
  type ComponentInput,
  type InputValue,
  jobsOf,
  readComponent,
  refusal,
} from '../../support/gitlab-component.ts';

const action = await readAction();
const components = Object.fromEntries(componentNames.map((name) => [name, readComponent(name)]));

for (const name of componentNames) {
  const component = components[name] as Component;
  const { inputs } = component.spec;
  const own = Object.keys(jobInputs(name));

  describe(`the component ${name}`, () => {
    test('has inputs of its job, and those of action.yml, as it describes them', () => {
      for (const [input, { description, default: value, type }] of Object.entries(inputs)) {
        assert.ok(description, input);
        if (own.includes(input)) {
          // The audience is asked for by GitLab in one place, and by the program on GitHub.
          assert.ok(input === 'aws-audience' || !(input in action.inputs), `${input} would be two inputs`);
          continue;
        }
        const documented = action.inputs[input];
        const program = inputNamed(input)?.default;
        const fallback = type === 'boolean' ? (program ?? 'false') : '';
        assert.equal(description, documented?.description, input);
        assert.equal(String(value), documented?.default ?? fallback, input);
      }
    });

    test('has defaults that it takes, and the words of the program as options', () => {
      for (const [input, spec] of Object.entries(inputs)) {
        assert.ok(spec.default !== undefined, `${input} is required`);
        assert.equal(refusal(spec.default, spec), undefined, input);
        const { choices, boolean } = inputNamed(input) ?? {};
        if (choices) assert.deepEqual(spec.options?.filter(Boolean), choices, input);
        if (boolean && spec.type !== 'boolean') assert.deepEqual(spec.options, ['', 'true', 'false'], input);
      }
    });

    test('takes no secret as an input', () => {
      const secrets = inputTable.filter((input) => 'secret' in input).map((input) => input.name as string);
      assert.deepEqual(
        Object.keys(inputs).filter((input) => secrets.includes(input)),
        [],
      );
    });

    test('gives its inputs to the program as variables, whatever is in them', () => {
      const hard = 'it\'s "#1": *a & $(b) {c}, [d] \\ %';
      const texts = Object.entries(inputs).filter(
        ([input, { type, options, regex }]) =>
          !own.includes(input) && type === 'string' && !options && !regex,
      );
      assert.ok(texts.length > 0);
      const jobs = jobsOf(component, Object.fromEntries(texts.map(([input]) => [input, hard])));
      assert.deepEqual(Object.keys(jobs), [name]);
      const { variables = {}, script = [] } = jobs[name] ?? {};
      for (const [input, spec] of Object.entries(inputs).filter(([each]) => !own.includes(each))) {
        const variable = variables[variableOf(input)];
        const value = typeof variable === 'object' ? variable.value : variable;
        assert.equal(value, texts.some(([each]) => each === input) ? hard : String(spec.default), input);
      }
      assert.ok(!script.join('\n').includes(hard), 'never in the script');
      assert.match(script.join('\n'), new RegExp(`node "\\$COMPONENT_PROGRAM" ${name}\\n$`));
    });

    test('with its defaults is what the program takes, but for what is required', () => {
      const { variables = {} } = jobsOf(component, {})[name] ?? {};
      const values = Object.fromEntries(
        Object.entries(variables).map(([key, each]) => [key, typeof each === 'object' ? each.value : each]),
      );
      const given = {
        ODOO_BACKUP_S3_BUCKET: 'bucket',
        ODOO_BACKUP_DATABASE: 'shop',
        ODOO_BACKUP_CUSTOMER: 'acme',
      };
      const more = { ODOO_BACKUP_SSH_HOST: 'a@b', ODOO_BACKUP_SSH_FINGERPRINT: `SHA256:${'A'.repeat(43)}` };
      const services: Record<string, string> = name === 'rollback' ? { ODOO_BACKUP_SERVICES: 'odoo' } : {};
      const env: Record<string, string> = {
        ...values,
        ...given,
        ...more,
        ...services,
        AWS_REGION: 'eu-west-1',
      };
      env.SSH_AUTH_SOCK = '/agent';
      const read = (input: string) => (input === 'command' ? name : (env[variableOf(input)] ?? ''));
      assert.equal(parseInputs(read, env).command, name);
    });
  });
}

describe('what an input of a component says arrives at the program', () => {
  /** The inputs as the program has them: the script of the job itself is run, with another program. */
  async function arriving(name: ComponentName, given: Record<string, InputValue>) {
    const folder = await mkdtemp(join(tmpdir(), 'component-'));
    try {
      const program = join(folder, 'program.mjs');
      await writeFile(program, 'console.log(JSON.stringify(process.env));');
      const { variables = {}, script = [] } =
        jobsOf(components[name] as Component, { ...given, program })[name] ?? {};
      const env = Object.fromEntries(
        Object.entries(variables).map(([key, each]) => [key, typeof each === 'object' ? each.value : each]),
      );
      const PATH = `${dirname(process.execPath)}:${process.env.PATH}`;
      const { stdout } = await promisify(execFile)('sh', ['-c', script.join('\n')], {
        env: { ...env, PATH },
      });
      return JSON.parse(stdout) as Record<string, string>;
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  for (const name of componentNames) {
    const ofProgram = programInputs(name).map(
      (input) => [input, components[name]?.spec.inputs[input.name] as ComponentInput] as const,
    );
    const effective = (input: InputDefinition, env: Record<string, string>) =>
      env[variableOf(input.name)] || (input.default ?? (input.boolean ? 'false' : ''));

    test(`${name}: left out, the default of the program`, async () => {
      const env = await arriving(name, {});
      for (const [input] of ofProgram) {
        const meant = input.default ?? (input.boolean ? 'false' : '');
        assert.equal(effective(input, env), meant, input.name);
      }
    });

    test(`${name}: each word and each flag, both ways`, async () => {
      const words = ofProgram.map(([{ name: input }, { type, options = [] }]) => ({
        input,
        values: type === 'boolean' ? [true, false] : options.filter((option) => option !== ''),
      }));
      const most = Math.max(...words.map(({ values }) => values.length));
      for (let turn = 0; turn < most; turn++) {
        const now = words.flatMap(({ input, values }) => {
          const value = values[turn % values.length];
          return value === undefined ? [] : [[input, value] as const];
        });
        const env = await arriving(name, Object.fromEntries(now));
        for (const [input, value] of now) {
          assert.equal(effective(inputNamed(input) as InputDefinition, env), String(value), input);
        }
      }
    });
  }
});

describe('a form that GitLab checks refuses what the program would', () => {
  const { inputs } = (components.backup as Component).spec;
  for (const [name, good, bad] of [
    ['timeout', '1h30m', '90'],
    ['keep-within', '7d', 'a week'],
    ['jobs', '4', 'four'],
    ['compression', '9', '10'],
    ['aws-region', 'eu-central-1', 'eu central'],
    ['customer', 'acme_1.x', 'a/b'],
    ['format', 'odoo', 'zip'],
    ['restore-test', 'host', 'server'],
    [
      'restore-test',
      'postgres://ann@db.example.com/postgres',
      'postgres://ann:secret@db.example.com/postgres',
    ],
    ['restore-test', 'postgres://ann:$PASSWORD@db.example.com', 'postgres://ann:$PASS:word@db.example.com'],
  ] as const) {
    test(`${name}: ${good}, not ${bad}`, () => {
      assert.equal(refusal(good, inputs[name] ?? {}), undefined);
      assert.ok(refusal(bad, inputs[name] ?? {}));
    });
  }
});

for (const name of componentNames) {
  test(`${name} is ended by nobody, leaves what it says in every case, and asks for no more than it needs`, () => {
    const job = jobsOf(components[name] as Component, {})[name];
    assert.ok(job);
    assert.equal(job.interruptible, false);
    assert.equal(job.timeout, '6h 30m'); // the program's own is 6h
    assert.equal(job.resource_group, ['backup', 'rollback'].includes(name) ? 'production' : undefined);
    const { when, access, expire_in } = job.artifacts as Record<string, unknown>;
    assert.deepEqual(
      { when, access, expire_in },
      { when: 'always', access: 'developer', expire_in: '30 days' },
    );
    const [first, second] = job.rules as { if?: string }[];
    assert.deepEqual(first, { if: '$CI_PIPELINE_SOURCE == "merge_request_event"', when: 'never' });
    assert.equal(second?.if, '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH', 'not on every branch');
    if (name === 'backup' || name === 'gate')
      assert.equal(job.stage, 'test', 'before the deploy, not beside it');
    const { text } = components[name] as Component;
    const [, script = ''] = text.split('\n  script:\n');
    assert.deepEqual(script.match(/\$\[\[.*?\]\]/g), ['$[[ component.sha ]]'], 'a value could be a command');
  });
}

test('a rollback waits for a person, who is asked once more, and for the deploy', () => {
  const { rollback } = jobsOf(components.rollback as Component, { needs: ['backup'] });
  assert.deepEqual(rollback?.rules, [
    { if: '$CI_PIPELINE_SOURCE == "merge_request_event"', when: 'never' },
    { if: '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH', when: 'manual', allow_failure: true },
  ]);
  assert.match(String(rollback?.manual_confirmation), /replaces the database/);
  assert.deepEqual(rollback?.environment, { name: 'production', action: 'start' });
  assert.equal(rollback?.resource_group, 'production');
  assert.deepEqual(rollback?.needs, ['backup']);
});

test('shell commands for the host keep their variables', () => {
  const { rollback } = jobsOf(components.rollback as Component, { 'stop-command': 'kill "$PID"' });
  assert.deepEqual(rollback?.variables.ODOO_BACKUP_STOP_COMMAND, { expand: false, value: 'kill "$PID"' });
});

describe('the pipelines to copy', () => {
  const root = new URL('../../../', import.meta.url);
  const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
  for (const path of globSync('templates/gitlab/*.yml', { cwd: fileURLToPath(root) })) {
    test(`${path} gives the components what they take`, () => {
      const { include, stages } = parse(read(path)) as {
        include: { component: string; inputs: Record<string, string> }[];
        stages: string[];
      };
      assert.ok(include.length > 1);
      for (const { component, inputs } of include) {
        const name = /\/(\w+)@\d+\.\d+\.\d+$/.exec(component)?.[1] ?? '';
        const [job] = Object.values(jobsOf(components[name] as Component, inputs));
        assert.ok(stages.includes(String(job?.stage)));
      }
    });
  }
});
