import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { componentNames, jobInputs } from '../../../scripts/components.ts';
import { readAction } from '../../../scripts/docs.ts';
import { readHome } from '../../../scripts/repository.ts';
import { workflowProblems } from '../../../scripts/workflows.ts';
import { readConfigFile } from '../../../src/inputs/command-line/config-file.ts';
import { parseInputs } from '../../../src/inputs/parse.ts';
import { inputNamed, inputTable } from '../../../src/inputs/table.ts';
import { variableOf } from '../../../src/platform/variables.ts';
import { anchors, blocks, documents, paths, read } from '../../support/documents.ts';
import { type InputValue, jobsOf, readComponent } from '../../support/gitlab-component.ts';
import { fewestInputs, fewestVariables, inputsFixture, reader } from '../../support/inputs.ts';

const root = new URL('../../../', import.meta.url);
/** The action, as workflows to copy name it, and as those that are called do: at their own commit. */
const isOurs = (uses: string): boolean =>
  uses.startsWith(`${repository}@`) || uses === '$/.github/actions/odoo-backup';
const action = await readAction();
const { repository } = readHome();
const sources = paths('src/**/*.ts').map(read);
const all = [...documents.values()].join('\n');
const ofComponents = componentNames.flatMap((name) => Object.keys(jobInputs(name)));
const storage = read('docs/storage.md');
const workflows = paths('{templates/github,.github/workflows}/*.yml').filter((path) =>
  [...read(path).matchAll(/ uses: (\S+)/g)].some(([, uses = '']) => isOurs(uses)),
);

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

/** A job that is another workflow. */
interface Call {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job extends Call {
  readonly steps?: readonly (Step & { readonly run?: string })[];
  readonly permissions?: unknown;
  readonly 'timeout-minutes'?: unknown;
}

interface Workflow {
  readonly on: object;
  readonly permissions?: unknown;
  readonly concurrency?: { readonly group: string; readonly queue?: string };
  readonly jobs: Readonly<Record<string, Job>>;
}

/** A step of ours must have inputs that exist and those that it cannot do without; of others', a commit. */
function checkStep({ uses, with: given = {} }: Step): void {
  if (!uses || !isOurs(uses)) {
    if (uses) assert.match(uses, /@[0-9a-f]{40}$/, 'pinned to a commit');
    return;
  }
  const ofBucketOnly = ['verify', 'gate', 'list', 'prune', 'fetch'].includes(String(given.command));
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

/** Every mapping in a YAML document, however deep. */
function* mappings(value: unknown): Generator<Readonly<Record<string, unknown>>> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const each of Object.values(value)) yield* mappings(each);
}

/** A workflow, steps, a pipeline, or profiles. */
async function checkExample(block: string): Promise<void> {
  const content = parse(block) as Readonly<Record<string, unknown>>;
  let checked = 0;
  for (const mapping of mappings(content)) {
    const { uses, component, inputs = {} } = mapping;
    if (typeof uses === 'string' && !uses.includes('/.github/workflows/')) checkStep(mapping as Step);
    if (typeof component === 'string') {
      const [, name = ''] = /\/(\w+)@\d+\.\d+\.\d+$/.exec(component) ?? [];
      jobsOf(readComponent(name), inputs as Record<string, InputValue>);
    }
    if (uses !== undefined || component !== undefined) checked += 1;
  }
  if ('on' in content) {
    assert.deepEqual(await workflowProblems(block, '.github/workflows/example.yml'), []);
  } else if (block.startsWith('# profiles.yml\n')) {
    for (const environment of Object.keys(content)) {
      assert.ok(inputsFixture({ environment, profiles: block }));
      checked += 1;
    }
  } else if (block.startsWith('# odoo-backup.yml\n')) {
    const path = join(await mkdtemp(join(tmpdir(), 'config-')), 'odoo-backup.yml');
    await writeFile(path, block);
    const config = readConfigFile(path);
    await rm(dirname(path), { recursive: true });
    const read = reader({
      'ssh-fingerprint': fewestInputs['ssh-fingerprint'],
      environment: 'production',
      'ssh-user': 'deploy',
    });
    assert.ok(parseInputs(read, fewestVariables, undefined, { config }));
    checked += 1;
  } else if (block.startsWith('# .gitlab-ci.yml\n')) {
    checked += 1; // jobs that run the command line: another test has its flags
  }
  assert.ok(checked > 0, 'nothing of this was checked');
}

describe('The workflows to copy, and to call', () => {
  for (const path of workflows) {
    it(`${path} passes actionlint, and gives the action what it takes`, async () => {
      assert.deepEqual(await workflowProblems(read(path), path), []);
      const { jobs } = parse(read(path)) as Workflow;
      const steps = Object.values(jobs).flatMap((job) => job.steps ?? []);
      assert.ok(steps.some((step) => step.uses !== undefined && isOurs(step.uses)));
      for (const step of steps) checkStep(step);
    });
  }

  for (const path of workflows) {
    const { on, permissions, concurrency, jobs } = parse(read(path)) as Workflow;

    it(`${path} has no right that it does not need, ends in time, and runs nothing that others write`, () => {
      assert.deepEqual(permissions, {}, 'each job asks for its own');
      for (const [id, job] of Object.entries(jobs)) {
        assert.ok(job.uses ?? job['timeout-minutes'], `${id} has no timeout`);
        const needed = { contents: 'read', 'id-token': 'write' };
        for (const each of Object.entries(job.permissions ?? {})) {
          assert.ok(
            Object.entries(needed).some(([name, right]) => `${name} ${right}` === each.join(' ')),
            `${id}: ${each}`,
          );
        }
        // https://docs.github.com/actions/security-for-github-actions/security-guides/security-hardening-for-github-actions
        for (const { run = '' } of job.steps ?? []) assert.doesNotMatch(run, /\$\{\{/, id);
      }
    });

    if ('workflow_call' in on || path.endsWith('backup-monitor.yml')) continue; // its caller's; it only reads
    it(`${path} cancels no run that waits`, () => assert.equal(concurrency?.queue, 'max'));
  }

  it('all of them, and what is passed to those that are called, are told of in docs/github.md', () => {
    assert.deepEqual(
      workflows.filter((path) => !read('docs/github.md').includes(`](../${path})`)),
      [],
    );
    const texts = [...blocks('yaml'), ...workflows.map(read)];
    const calls = texts.flatMap((text) => Object.values((parse(text) as Partial<Workflow>).jobs ?? {}));
    const called = calls.filter(({ uses }) => uses?.startsWith(`${repository}/`));
    assert.ok(called.length > 0);
    for (const { uses = '', with: given = {} } of called) {
      const path = uses.slice(repository.length + 1).replace(/@v\d+$/, '');
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
});

describe('README.md and docs/', () => {
  const examples = [...documents].flatMap(([path, text]) =>
    blocks('yaml', text).map((block, index) => [`${path}, block ${index + 1}`, block] as const),
  );
  for (const [where, block] of examples) {
    it(`${where}: YAML that gives the action, the components and the program what they take`, () =>
      checkExample(block));
  }

  it('has variables that exist', () => {
    const results = Object.keys(action.outputs).map((name) => variableOf(`result-${name}`));
    const known = [...inputTable.map(({ name }) => variableOf(name)), ...results];
    const named = [...all.matchAll(/ODOO_BACKUP_\w+/g)].map(([name]) => name);
    assert.ok(named.length > 10);
    assert.deepEqual(
      named.filter((name) => !known.includes(name)),
      [],
    );
  });

  it('has command lines with flags that exist', () => {
    const commands = [...blocks('sh'), ...blocks('yaml')].join('').replaceAll('\\\n', '').split('\n');
    const ours = commands.filter((line) => /dist\/main\.js|npx odoo-backup-action/.test(line));
    assert.ok(ours.length > 1);
    for (const [, flag = ''] of ours.join('\n').matchAll(/ --([a-z0-9-]+)/g))
      assert.ok(inputNamed(flag), flag);
  });

  it('names only inputs that exist in the rest of its text', () => {
    const named = [...all.matchAll(/`([a-z0-9-]+): (?:true|false|\w+)`/g)].map(([, name = '']) => name);
    const known = [...Object.keys(action.inputs), ...ofComponents, 'id-token', 'cron', 'when', 'name'];
    assert.deepEqual(
      named.filter((name) => !known.includes(name)),
      [],
    );
  });

  it('has an IAM policy of actions that the code asks for, each with its reason, and tells the others', () => {
    const asked = new Set(sources.join('').match(/(?<=')s3:\w+(?=')/g));
    const [policy = ''] = blocks('json', storage);
    const { Statement } = JSON.parse(policy) as {
      Statement: { Effect: string; Action: string[]; Resource: string }[];
    };
    const allowed = Statement.flatMap(({ Action }) => Action);
    const rows = storage.matchAll(/^\| (`s3:.+?`) \|/gm);
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
    for (const name of asked) assert.ok(storage.includes(`\`${name}\``), name);
  });

  it('has a trust policy for one environment of one repository, named with its ids', () => {
    const policy = JSON.parse(blocks('json', read('docs/github.md'))[0] ?? '') as {
      Statement: [{ Condition: { StringEquals: Record<string, string> } }];
    };
    const sub = policy.Statement[0].Condition.StringEquals['token.actions.githubusercontent.com:sub'];
    assert.match(sub ?? '', /^repo:[\w-]+@\d+\/[\w-]+@\d+:environment:\w+$/);
  });

  it('quotes error messages that the program has', () => {
    const rows = read('docs/troubleshooting.md').matchAll(/^\| `(.+?)` \|/gm);
    const messages = [...rows].map(([, message = '']) => message);
    assert.ok(messages.length > 20);
    assert.deepEqual(
      messages.filter((message) => !sources.some(speaks(message))),
      [],
    );
  });

  for (const [path, text] of documents) {
    it(`${path} links to files and headings that exist`, () => {
      for (const [, link = ''] of text
        .replaceAll(/^```.*?^```$/gms, '')
        .matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
        const [to = '', heading] = link.split('#');
        const target = new URL(to, new URL(path, root));
        if (to !== '') assert.ok(existsSync(target), link);
        if (heading === undefined) continue;
        const linked = to === '' ? path : decodeURIComponent(target.href.slice(root.href.length));
        assert.ok(anchors(documents.get(linked) ?? '').includes(heading), link);
      }
    });
  }

  it('can all be reached from README.md', () => {
    const readme = read('README.md');
    const missing = [...documents.keys()].filter(
      (path) => path !== 'README.md' && !readme.includes(`](${path})`),
    );
    assert.deepEqual(missing, []);
  });

  it('CONTRIBUTING.md has every folder of src/ and test/ in its map, and no other', () => {
    const map = [...read('CONTRIBUTING.md').matchAll(/^\| (`(?:src|test)\/.*?) \|/gm)]
      .flatMap(([, names = '']) => names.split(', '))
      .map((name) => name.replaceAll('`', ''));
    const folders = paths('{src,test}/*/').map((path) => `${path.replace(/\/$/, '')}/`);
    assert.deepEqual(map.toSorted(), folders.toSorted());
  });

  it('each folder of the source begins with a note, whose files and entry points are there', () => {
    const folders = [...new Set(paths('src/*/**/*.ts').map((path) => path.replace(/\/[^/]+$/, '')))];
    assert.ok(folders.length > 15);
    for (const folder of folders) {
      const note = read(`${folder}/README.md`);
      assert.ok(note.startsWith(`# ${folder.slice('src/'.length)}\n`), folder);
      for (const [, name = ''] of note.matchAll(/`([\w/-]+\.ts)`/g)) {
        assert.ok(
          [folder, 'src', '.'].some((from) => existsSync(new URL(`${from}/${name}`, root))),
          name,
        );
      }
      const [, entries = ''] = /^Entry points?: ([\s\S]*)$/m.exec(note) ?? [];
      for (const [, symbol = '', , file = ''] of entries.matchAll(
        /`(\w+)`( and `\w+`)? of `([\w/-]+\.ts)`/g,
      )) {
        assert.match(read(`${folder}/${file}`), new RegExp(`\\bexport .*\\b${symbol}\\b`), symbol);
      }
    }
  });

  it('are where the program, its tests and the workflows say that they are', () => {
    const files = paths('{action.yml,{src,scripts,test,templates,.github}/**/*.{ts,yml,json,sh}}');
    assert.ok(files.length > 200);
    for (const file of files)
      for (const [path] of read(file).matchAll(/\bdocs\/[\w-]+\.md\b/g))
        assert.ok(documents.has(path), `${file}: ${path}`);
  });
});

/** Whether a source has the words of a message on one line; `…` stands for an expression of a template. */
function speaks(message: string): (source: string) => boolean {
  const words = message.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`['"\`]${words.join('\\$\\{.+?\\}')}`);
  return (source) => pattern.test(source);
}
