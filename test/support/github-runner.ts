import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'yaml';
import type { ActionFile } from '../../scripts/docs.ts';
import { readHome } from '../../scripts/repository.ts';
import { allFilled, evaluate, filled, holds, type Values } from './github-expressions.ts';
import { ours, runStep, self, type WorkflowSource } from './github-step.ts';
import type { CallInput, Job, Workflow } from './github-workflow.ts';
import { run } from './processes.ts';

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
  readonly source?: WorkflowSource;
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
async function sourceOf(
  name: string,
  ref: string,
  folder: string,
  { repositories }: Start,
): Promise<WorkflowSource> {
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
