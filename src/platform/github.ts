import { randomBytes } from 'node:crypto';
import { appendFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as core from '@actions/core';
import { blocksOf, cutToBytes, markdownOf } from '../report/markdown.ts';
import { plainText } from '../report/plain.ts';
import { inShort, type Summary, withTexts } from '../report/summary.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { failureOf, untold } from './failure.ts';
import { jobToken } from './id-token.ts';
import { LogGroups } from './log-groups.ts';
import { logText } from './log-text.ts';
import { Mask, piecesOf } from './mask.ts';
import { Outputs } from './outputs.ts';
import { ReportPage } from './page.ts';
import { type Environment, failureLines, type Platform, type RunIdentity } from './platform.ts';

/** A step of a GitHub workflow: inputs, log, annotations, outputs and job summary. */
export function githubPlatform(env: Environment): Platform {
  const mask = new Mask();
  const fit = logText({ ...env, GITHUB_ACTIONS: 'true' });
  const clean = (message: string) => fit(mask.apply(message));
  const groups = new LogGroups({
    begin: (title) => core.startGroup(title),
    end: () => core.endGroup(),
    print: (line) => core.info(line),
  });
  const info = (message: string) => groups.say(clean(message));
  const warning = (message: string) => {
    groups.flush();
    core.warning(clean(message));
  };
  const masked = (summary: Summary) => withTexts(summary, (text) => mask.apply(text));
  let told: Summary | undefined;
  const page = pageOf(env, (text) => mask.apply(text), warning);
  const onPage = (write: (to: ReportPage) => void) => {
    if (page === undefined) return;
    write(page.report);
    outputs.give('page', page.path);
  };
  const dropped = new DroppedOutputs(env, mask, warning);
  // The delimiter around a value is a random UUID, which no value can hold.
  const outputs = new Outputs((name, value) => {
    dropped.check(name, value);
    core.setOutput(name, value);
  }, warning);
  return {
    run: identity(env),
    progressIntervalMs: 5000,
    input: (name) => core.getInput(name),
    given: () => givenInputs(env),
    // The runner masks line by line, and so what other steps print.
    secret: (value) => {
      for (const piece of piecesOf(value)) core.setSecret(piece);
      mask.add(value);
      dropped.checkInputs();
    },
    idToken: (audience) => jobToken(audience, env),
    prepare: () => assertAppendable(env.GITHUB_OUTPUT),
    group: (title, body) => groups.group(clean(title), body),
    info,
    notice: (message) => {
      groups.flush();
      core.notice(clean(message));
    },
    warning,
    progress: info,
    output: (name, value) => outputs.give(name, value),
    summary: async (summary) => {
      const whole = masked(summary);
      told = summary;
      onPage((to) => to.add(summary));
      let shown = inShort(whole);
      try {
        const { text, isCut } = cutToBytes(markdownOf(whole), roomIn(env.GITHUB_STEP_SUMMARY));
        append(env.GITHUB_STEP_SUMMARY, `${text}\n`);
        if (isCut) {
          warning('The job summary is longer than GitHub takes, 1 MiB: it is cut there, and whole here');
          shown = whole;
        }
      } catch (error) {
        warning(`The job summary could not be written: ${messageOf(error)}`);
        shown = whole;
      }
      core.info(`\n${fit(plainText(shown))}`);
    },
    finish: async () => outputs.assertWritten(),
    fail: (error, left = '') => {
      groups.flush();
      core.error(clean(failureLines(error).join('\n')));
      const failure = failureOf(error, left);
      onPage((to) => to.fail(failure));
      const text =
        told?.outcome === 'failed'
          ? blocksOf(masked({ ...failure, blocks: untold(failure, told) }))
          : markdownOf(masked(failure));
      if (text === '') return;
      try {
        append(env.GITHUB_STEP_SUMMARY, `\n${cutToBytes(text, roomIn(env.GITHUB_STEP_SUMMARY)).text}`);
      } catch {
        // The log has it, and where a summary cannot be written is told of those that should have been.
      }
    },
  };
}

/** The inputs of the step; those that are empty, or have what action.yml gives them, are not given. */
function givenInputs(env: Environment): string[] {
  const names = Object.keys(env).flatMap((name) => /^INPUT_(.+)$/.exec(name)?.[1]?.toLowerCase() ?? []);
  return names.filter((name) => !['', ofAction[name]].includes(core.getInput(name)));
}

/** What action.yml gives to inputs: the runner hands it over as if the step had. */
const ofAction: Readonly<Record<string, string>> = { command: 'backup', backup: 'latest' };

/**
 * The page of the step, for an artifact: a file of the runner's folder for a job. An artifact that is not zipped has the
 * file's name, and each of a run has to have a name of its own.
 */
function pageOf(
  env: Environment,
  mask: (text: string) => string,
  warning: (message: string) => void,
): { readonly report: ReportPage; readonly path: string } | undefined {
  if (!env.RUNNER_TEMP) return undefined;
  const job = (env.GITHUB_JOB ?? '').replaceAll(/[^A-Za-z0-9_-]/g, '') || 'run';
  const path = join(env.RUNNER_TEMP, `odoo-${job}-${randomBytes(4).toString('hex')}.html`);
  const heading = [env.GITHUB_WORKFLOW ?? 'odoo-backup', env.GITHUB_JOB, env.GITHUB_REPOSITORY];
  const options = { path, heading: heading.filter(Boolean).join(' · '), mask, warning };
  return { report: new ReportPage(options), path };
}

/** GitHub drops a summary of a step that is longer, all of it. */
const SUMMARY_BYTES = 1024 ** 2;

/** Bytes that a summary may still have. */
const roomIn = (path = ''): number =>
  SUMMARY_BYTES - (statSync(path, { throwIfNoEntry: false })?.size ?? 0) - 2;

/** @throws Error where the file is not named, or cannot be written */
function append(path: string | undefined, text: string): void {
  if (!path) throw new Error('the variable GITHUB_STEP_SUMMARY is not set');
  appendFileSync(path, text);
}

/** @throws UserError where the outputs could not be written: better to know it before there is something to hand on */
function assertAppendable(path: string | undefined): void {
  try {
    if (!path) throw new Error('the variable GITHUB_OUTPUT is not set');
    appendFileSync(path, '\n'); // the runner passes over empty lines; a full disk is seen by a write alone
  } catch (error) {
    throw new UserError(
      `The outputs of this step cannot be written: ${messageOf(error)}`,
      "Nothing was touched. GitHub's runner names the file in GITHUB_OUTPUT: do not unset it, and mount it into a container of your own.",
    );
  }
}

/**
 * GitHub hands no output of a job to other jobs that holds a secret. A password that is part of a name, as `odoo` often
 * is, makes it drop key and uri, so that a rollback finds no backup named.
 */
class DroppedOutputs {
  readonly #inputs: readonly (readonly [name: string, value: string])[];
  readonly #mask: Mask;
  readonly #warning: (message: string) => void;
  readonly #told = new Set<string>();

  constructor(env: Environment, mask: Mask, warning: (message: string) => void) {
    this.#mask = mask;
    this.#warning = warning;
    const given = ['s3-bucket', 's3-prefix', 'customer', 'database'].map(
      (name) => [name, core.getInput(name)] as const,
    );
    const repository = env.GITHUB_REPOSITORY?.split('/').at(-1) ?? '';
    this.#inputs = [...given, ['customer (the name of the repository)', repository]];
  }

  /** Looks before a backup is made at what its key will be made of. */
  checkInputs(): void {
    for (const [name, value] of this.#inputs) this.check(`of the input ${name}`, value);
  }

  check(name: string, value: string): void {
    if (name === 'json' || this.#told.has(name) || !this.#mask.finds(value)) return;
    this.#told.add(name);
    this.#warning(
      `A secret is part of the value ${name.startsWith('of ') ? name : `of the output ${name}`}: GitHub hands no such output to other jobs. ` +
        'Choose a longer password that is no part of a name, or use the output in this job alone.',
    );
  }
}

/** https://docs.github.com/actions/reference/workflows-and-actions/variables */
function identity(env: Environment): RunIdentity {
  const run = `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}/actions/runs/${env.GITHUB_RUN_ID}`;
  return {
    platform: 'github',
    actor: env.GITHUB_ACTOR,
    repository: env.GITHUB_REPOSITORY,
    commit: env.GITHUB_SHA,
    ref: env.GITHUB_REF,
    url: env.GITHUB_RUN_ID && `${run}/attempts/${env.GITHUB_RUN_ATTEMPT ?? 1}`,
  };
}
