import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { data, Evaluator, Lexer, Parser } from '@actions/expressions';
import { parse } from 'yaml';
import type { ActionFile } from '../../scripts/docs.ts';
import { readHome } from '../../scripts/repository.ts';
import { compileCache } from './compile-cache.ts';
import { run } from './processes.ts';
import { program } from './program-folder.ts';

const root = new URL('../../', import.meta.url);
const action = parse(readFileSync(new URL('action.yml', root), 'utf8')) as ActionFile;

type Values = Readonly<Record<string, unknown>>;

/** Where a workflow comes from, and what its `$/` means: a repository, as it is at one commit. */
interface Source {
  readonly root: URL;
  /** The program of our action there. */
  readonly main: string;
}

/** The working tree. */
const ours: Source = { root, main: program };

/** The action of the workflows that others call. */
const self = '.github/actions/odoo-backup';

interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Values;
  readonly env?: Values;
}

interface Job {
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly env?: Values;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, string>>;
  /** A matrix, only in the form that an expression makes, with `include`. */
  readonly strategy?: { readonly matrix: string };
  readonly steps?: readonly Step[];
  /** Another workflow of ours, which is the whole job. */
  readonly uses?: string;
  readonly with?: Values;
  readonly secrets?: 'inherit' | Values;
}

interface CallInput {
  readonly type: 'string' | 'boolean' | 'number';
  readonly default?: unknown;
  readonly required?: boolean;
}

interface Workflow {
  readonly on: {
    readonly workflow_call?: {
      readonly inputs?: Readonly<Record<string, CallInput>>;
      readonly outputs?: Readonly<Record<string, { readonly value: string }>>;
    };
  };
  readonly env?: Values;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** What a workflow is run with. */
export interface Start {
  readonly inputs?: Values;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly vars?: Readonly<Record<string, string>>;
  /** What a reader changes in a copy: inputs of our steps with this command; empty ones are taken out. */
  readonly with?: (command: string | undefined) => Readonly<Record<string, string>>;
  /** So for the inputs of a called workflow. */
  readonly calledWith?: Readonly<Record<string, string>>;
  /** So for the command of a step, by its name. */
  readonly runs?: Readonly<Record<string, string>>;
  /** So for the variables of the workflow. */
  readonly workflowEnv?: Readonly<Record<string, string>>;
  /** Done when a job has ended, by the job's name. */
  readonly after?: Readonly<Record<string, () => Promise<void>>>;
  /** Jobs of an earlier attempt, which "Re-run failed jobs" does not run again. */
  readonly earlier?: Readonly<Record<string, JobRun>>;
  /** Files of the repository, by their paths; those under bin/ can be run. */
  readonly files?: Readonly<Record<string, string>>;
  /** Git repositories by their names, which hold workflows that are called; default: the working tree alone. */
  readonly repositories?: Readonly<Record<string, string>>;
  /** Where the workflow comes from; default: the working tree. */
  readonly source?: Source;
  /** Environment of the runner's machine. */
  readonly env: Readonly<Record<string, string>>;
  /** By which steps of a job that has `id-token: write` get an ID token. */
  readonly idToken: Readonly<Record<string, string>>;
}

export interface JobRun {
  readonly result: 'success' | 'failure' | 'skipped';
  readonly outputs: Readonly<Record<string, string>>;
  readonly log: string;
}

export interface WorkflowRun {
  readonly jobs: Readonly<Record<string, JobRun>>;
  /** Outputs of a workflow that is called. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly log: string;
}

/**
 * Runs a workflow's jobs in the order of their `needs`, and their steps' commands, with the expressions of GitHub
 * and the outputs handed on as its runner does.
 *
 * @param path of the workflow, from the root of the repository
 * @param folder for files; it has to be there
 * @throws Error where the workflow takes something that is not there
 */
export async function runWorkflow(path: string, folder: string, start: Start): Promise<WorkflowRun> {
  const { source = ours } = start;
  const workflow = parse(readFileSync(new URL(path, source.root), 'utf8')) as Workflow;
  const call = workflow.on.workflow_call;
  const inputs: Record<string, unknown> = { ...start.inputs };
  for (const [name, { default: value, required }] of Object.entries(call?.inputs ?? {})) {
    if (required && !(name in inputs)) throw new Error(`The input ${name} is required`);
    inputs[name] ??= value ?? '';
  }
  for (const [name, { type }] of Object.entries(call?.inputs ?? {})) inputs[name] = typed(inputs[name], type);
  for (const name of Object.keys(inputs)) {
    if (call && !(name in (call.inputs ?? {}))) throw new Error(`${name} is no input of ${path}`);
  }
  const attempt = start.earlier === undefined ? '1' : '2';
  const contexts = {
    inputs,
    secrets: start.secrets ?? {},
    vars: start.vars ?? {},
    github: { ...github, run_attempt: attempt },
  };
  const jobs: Record<string, JobRun> = { ...start.earlier };
  const waiting = new Map(Object.entries(workflow.jobs).filter(([id]) => !(id in jobs)));
  while (waiting.size > 0) {
    const ready = [...waiting].find(([, job]) => needsOf(job).every((each) => each in jobs));
    if (ready === undefined) throw new Error(`Jobs wait for each other: ${[...waiting.keys()]}`);
    const [id, job] = ready;
    waiting.delete(id);
    jobs[id] = await runJob(job, {
      ...contexts,
      workflowEnv: { ...workflow.env, ...start.workflowEnv },
      jobs,
      folder,
      start,
    });
    await start.after?.[id]?.();
  }
  const outputs = Object.entries(call?.outputs ?? {}).map(([name, { value }]) => [
    name,
    filled(value, { jobs }),
  ]);
  const log = Object.entries(jobs)
    .map(([id, each]) => `── ${id}: ${each.result}\n${each.log}`)
    .join('\n');
  return { jobs, outputs: Object.fromEntries(outputs), log };
}

/** What an expression has made of an input of a call, as the type that the workflow declares. */
function typed(value: unknown, type: CallInput['type']): unknown {
  if (type === 'string' || typeof value === type) return value;
  if (type === 'number' && /^\d+$/.test(String(value))) return Number(value);
  if (type === 'boolean' && /^(true|false)$/.test(String(value))) return value === 'true';
  throw new Error(`${value} is no ${type}`);
}

const github = { repository: 'acme/odoo', ref: 'refs/heads/main', sha: 'c0ffee', run_id: '42' };

const needsOf = ({ needs = [] }: Job): readonly string[] => (typeof needs === 'string' ? [needs] : needs);

interface Surroundings {
  readonly inputs: Values;
  readonly secrets: Values;
  readonly vars: Values;
  readonly github: Values;
  readonly workflowEnv: Values;
  readonly jobs: Readonly<Record<string, JobRun>>;
  readonly folder: string;
  readonly start: Start;
}

async function runJob(job: Job, around: Surroundings): Promise<JobRun> {
  const { workflowEnv: _, jobs, folder: __, start: ___, ...global } = around;
  const runOne = job.uses === undefined ? runSteps : callWorkflow;
  const needs = Object.fromEntries(needsOf(job).map((id) => [id, jobs[id]]));
  const upstream = ancestors(job, jobs);
  const context = { ...global, needs };
  if (!holds(job.if, context, upstream.includes('failure'), upstream.includes('skipped'))) {
    return { result: 'skipped', outputs: {}, log: '' };
  }
  if (job.strategy === undefined) return runOne(job, context, around);
  const runs: JobRun[] = [];
  for (const matrix of included(job.strategy.matrix, context)) {
    runs.push(await runOne(job, { ...context, matrix }, around));
  }
  return {
    result: runs.every(({ result }) => result === 'success') ? 'success' : 'failure',
    outputs: Object.assign({}, ...runs.map(({ outputs }) => outputs)),
    log: runs.map((each) => each.log).join('\n'),
  };
}

/** The jobs of a matrix. */
function included(matrix: string, context: Values): readonly Values[] {
  const expression = /^\$\{\{(.*)\}\}$/s.exec(matrix)?.[1] ?? '';
  return JSON.parse(evaluate(`toJSON(${expression})`, context, {}).coerceString()).include;
}

/** Runs the workflow that a job calls, with what the job gives it and nothing else. */
async function callWorkflow(
  job: Job,
  context: Values,
  { folder, start, secrets }: Surroundings,
): Promise<JobRun> {
  const [, name = '', path = '', ref = ''] = /^([^/]+\/[^/]+)\/(.+)@(.+)$/.exec(job.uses ?? '') ?? [];
  const { workflowEnv: _, ...rest } = start;
  const given = Object.entries(job.with ?? {}).map(([name, value]) => [
    name,
    typeof value === 'string' ? filled(value, context) : value,
  ]);
  const called = await runWorkflow(path, folder, {
    ...rest,
    source: await sourceOf(name, ref, folder, start),
    inputs: { ...Object.fromEntries(given), ...start.calledWith },
    secrets:
      job.secrets === 'inherit' ? (secrets as Record<string, string>) : allFilled(job.secrets ?? {}, context),
  });
  const results = Object.values(called.jobs).map(({ result }) => result);
  return {
    result: results.includes('failure') ? 'failure' : 'success',
    outputs: called.outputs,
    log: called.log,
  };
}

/** The repository of a called workflow at its commit. @throws Error where there is none */
async function sourceOf(name: string, ref: string, folder: string, { repositories }: Start): Promise<Source> {
  const repository = repositories?.[name];
  if (repository === undefined && name === readHome().repository) return ours;
  if (repository === undefined) throw new Error(`There is no repository ${name}`);
  const checkedOut = await mkdtemp(join(folder, 'source-'));
  await run(['git', 'clone', '--quiet', repository, checkedOut]);
  await run(['git', '-C', checkedOut, 'checkout', '--quiet', '--detach', ref]);
  const manifest = pathToFileURL(join(checkedOut, self, 'action.yml'));
  const { runs } = parse(await readFile(manifest, 'utf8')) as ActionFile;
  return { root: pathToFileURL(`${checkedOut}/`), main: new URL(runs.main, manifest).pathname };
}

async function runSteps(job: Job, context: Values, around: Surroundings): Promise<JobRun> {
  const { workflowEnv, folder, start } = around;
  const workspace = await mkdtemp(join(folder, 'workspace-'));
  const env: Record<string, string> = {};
  for (const each of [workflowEnv, job.env ?? {}]) Object.assign(env, allFilled(each, { ...context, env }));
  const steps: Record<string, { outputs: Record<string, string>; outcome: string }> = {};
  let failed = false;
  let log = '';
  for (const step of job.steps ?? []) {
    const now = { ...context, env, steps };
    if (!holds(step.if, now, failed, false)) continue;
    const mayIdentify = job.permissions?.['id-token'] === 'write';
    const ended = await runStep(step, now, {
      start,
      workspace,
      env,
      idToken: mayIdentify ? start.idToken : {},
    });
    log += ended.log;
    Object.assign(env, ended.env);
    if (step.id) steps[step.id] = { outputs: ended.outputs, outcome: ended.ok ? 'success' : 'failure' };
    failed ||= !ended.ok;
  }
  await rm(workspace, { recursive: true });
  return {
    result: failed ? 'failure' : 'success',
    outputs: allFilled(job.outputs ?? {}, { ...context, env, steps }),
    log,
  };
}

/** The results of all jobs before one: where any has failed or was skipped, it is skipped too. */
function ancestors(job: Job, jobs: Readonly<Record<string, JobRun>>): readonly string[] {
  return needsOf(job).map((id) => jobs[id]?.result ?? '');
}

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

async function runStep(
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

/** Whether a condition holds; one that does not speak of the status asks for success. */
function holds(condition: string | undefined, context: Values, failed: boolean, skipped: boolean): boolean {
  const text = (condition ?? '').replace(/^\s*\$\{\{(.*)\}\}\s*$/s, '$1').trim();
  const bool = (value: boolean) => () => new data.BooleanData(value);
  const status = {
    always: bool(true),
    failure: bool(failed),
    success: bool(!failed && !skipped),
    cancelled: bool(false),
  };
  const speaks = Object.keys(status).some((name) => text.includes(`${name}()`));
  const whole = speaks ? text : text === '' ? 'success()' : `success() && (${text})`;
  return (
    evaluate(whole, context, status).coerceString() !== 'false' && truthy(evaluate(whole, context, status))
  );
}

function truthy(value: data.ExpressionData): boolean {
  const text = value.coerceString();
  return text !== '' && text !== 'false' && text !== '0';
}

function allFilled(values: Values, context: Values): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, filled(String(value ?? ''), context)]),
  );
}

/** A text with its expressions evaluated. */
function filled(text: string, context: Values): string {
  return text.replaceAll(/\$\{\{(.+?)\}\}/gs, (_, expression: string) =>
    evaluate(expression, context, {}).coerceString(),
  );
}

function evaluate(
  expression: string,
  context: Values,
  functions: Readonly<Record<string, () => data.ExpressionData>>,
): data.ExpressionData {
  const { tokens } = new Lexer(expression.trim()).lex();
  const infos = Object.entries(functions).map(([name, call]) => ({ name, minArgs: 0, maxArgs: 0, call }));
  const parsed = new Parser(tokens, Object.keys(context), infos).parse();
  const known = new Map(infos.map((info) => [info.name, info]));
  return new Evaluator(parsed, dataOf(context) as data.Dictionary, known).evaluate();
}

function dataOf(value: unknown): data.ExpressionData {
  if (typeof value === 'boolean') return new data.BooleanData(value);
  if (typeof value === 'number') return new data.NumberData(value);
  if (typeof value === 'string') return new data.StringData(value);
  if (value === null || value === undefined) return new data.Null();
  const pairs = Object.entries(value).map(([key, each]) => ({ key, value: dataOf(each) }));
  return new data.Dictionary(...pairs);
}
