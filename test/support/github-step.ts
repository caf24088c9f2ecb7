import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import type { ActionFile } from '../../scripts/docs.ts';
import { readHome } from '../../scripts/repository.ts';
import { compileCache } from './compile-cache.ts';
import { allFilled, filled, type Values } from './github-expressions.ts';
import type { Start } from './github-runner.ts';
import type { Step } from './github-workflow.ts';
import { run } from './processes.ts';
import { program } from './program-folder.ts';

const root = new URL('../../', import.meta.url);
const action = parse(readFileSync(new URL('action.yml', root), 'utf8')) as ActionFile;

/** Where a workflow comes from, and what its `$/` means: a repository, as it is at one commit. */
export interface WorkflowSource {
  readonly root: URL;
  /** The program of our action there. */
  readonly main: string;
}

/** The working tree. */
export const ours: WorkflowSource = { root, main: program };

/** The action of the workflows that others call. */
export const self = '.github/actions/odoo-backup';

interface StepEnd {
  readonly ok: boolean;
  readonly outputs: Record<string, string>;
  /** For the steps after it. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: string;
}

interface StepSurroundings {
  readonly start: Start;
  readonly workspace: string;
  readonly env: Values;
  readonly idToken: Readonly<Record<string, string>>;
}

export async function runStep(
  step: Step,
  context: Values,
  { start, workspace, env, idToken }: StepSurroundings,
): Promise<StepEnd> {
  const none = { ok: true, outputs: {}, env: {}, log: '' };
  const own = allFilled(step.env ?? {}, context);
  const files = {
    GITHUB_OUTPUT: join(workspace, '.output'),
    GITHUB_STEP_SUMMARY: join(workspace, '.summary'),
    GITHUB_ENV: join(workspace, '.env'),
  };
  await Promise.all(Object.values(files).map((path) => writeFile(path, '')));
  const machine = {
    NODE_COMPILE_CACHE: compileCache,
    ...start.env,
    ...idToken,
    ...files,
    CI: 'true',
    RUNNER_TEMP: workspace,
    GITHUB_ACTIONS: 'true',
    GITHUB_REPOSITORY: 'acme/odoo',
  };
  const [uses = ''] = step.uses?.split('@') ?? [];
  let argv: readonly string[];
  let given: Readonly<Record<string, string>> = {};
  if (step.run !== undefined) {
    const script = filled(start.runs?.[step.name ?? ''] ?? step.run, context);
    argv = ['bash', '--noprofile', '--norc', '-e', '-c', script];
  } else if (uses === 'actions/checkout') {
    const { 'sparse-checkout': sparse = '', 'sparse-checkout-cone-mode': cone } = allFilled(
      step.with ?? {},
      context,
    );
    if (sparse !== '' && cone !== 'false') throw new Error('Cone mode takes folders, not files');
    await checkout(workspace, start.files ?? {}, sparse);
    return none;
  } else if (uses === 'actions/upload-artifact') {
    const { path = '' } = allFilled(step.with ?? {}, context);
    await access(path); // a page that a step before has written
    return none;
  } else if (uses === readHome().repository || uses === `$/${self}`) {
    const { main } = uses.startsWith('$/') ? (start.source ?? ours) : ours;
    argv = [process.execPath, main];
    const asked = allFilled(step.with ?? {}, context);
    given = inputVariables({ ...asked, ...start.with?.(asked.command) });
  } else throw new Error(`What is ${step.uses}?`);

  const child = spawn(argv[0] ?? '', argv.slice(1), {
    cwd: workspace,
    env: { ...machine, ...(env as Record<string, string>), ...own, ...given },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (log += chunk));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  log = log.replaceAll(/^::add-mask::.*\n/gm, '') + (await readFile(files.GITHUB_STEP_SUMMARY, 'utf8'));
  return {
    ok: exitCode === 0,
    outputs: assignments(await readFile(files.GITHUB_OUTPUT, 'utf8')),
    env: assignments(await readFile(files.GITHUB_ENV, 'utf8')),
    log,
  };
}

/** As actions/checkout does it: https://github.com/actions/checkout/blob/main/src/git-source-provider.ts */
async function checkout(
  workspace: string,
  files: Readonly<Record<string, string>>,
  sparse: string,
): Promise<void> {
  const origin = await mkdtemp(`${workspace}-origin-`);
  const git = (folder: string, ...args: readonly string[]) => run(['git', '-C', folder, ...args]);
  await git(origin, 'init', '--quiet');
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(origin, path)), { recursive: true });
    await writeFile(join(origin, path), text, { mode: path.startsWith('bin/') ? 0o755 : 0o644 });
  }
  await git(origin, 'add', '--all');
  await git(
    origin,
    '-c',
    'user.name=Ann',
    '-c',
    'user.email=ann@example.com',
    'commit',
    '--quiet',
    '--allow-empty',
    '-m',
    'x',
  );
  await git(workspace, 'init', '--quiet');
  await git(workspace, 'fetch', '--quiet', origin, 'HEAD');
  const patterns = sparse.split('\n').map((line) => line.trim());
  if (sparse !== '') await git(workspace, 'sparse-checkout', 'set', '--no-cone', ...patterns.filter(Boolean));
  await git(workspace, 'checkout', '--quiet', 'FETCH_HEAD');
  await rm(origin, { recursive: true });
}

/** What is not given has the default of action.yml; an input that there is none of is a mistake in the workflow. */
function inputVariables(given: Readonly<Record<string, string>>): Record<string, string> {
  for (const name of Object.keys(given)) {
    if (!(name in action.inputs)) throw new Error(`${name} is no input of the action`);
  }
  const names = Object.keys(action.inputs);
  return Object.fromEntries(
    names.map((name) => [`INPUT_${name.toUpperCase()}`, given[name] ?? action.inputs[name]?.default ?? '']),
  );
}

/** `name=value`, or `name<<delimiter`, the value, the delimiter. */
function assignments(text: string): Record<string, string> {
  const found = text.matchAll(/^(?:([^=\n<]+)=(.*)|(.+?)<<(.+)\n([\s\S]*?)\n\4)$/gm);
  return Object.fromEntries(
    [...found].map(([, name, value, long, , lines]) => [name ?? long ?? '', value ?? lines ?? '']),
  );
}
