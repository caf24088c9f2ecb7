import { rmSync, writeFileSync } from 'node:fs';
import { messageOf } from '../errors.ts';
import { htmlOf } from '../report/html.ts';
import { plainText } from '../report/plain.ts';
import type { Summary } from '../report/summary.ts';
import type { CommandLine } from './command-line.ts';
import { childPipeline } from './gitlab-pipeline.ts';
import { Mask } from './mask.ts';
import { describeError, type Environment, type Platform, type RunIdentity } from './platform.ts';

/**
 * Results for later jobs, as `artifacts:reports:dotenv`. Their names differ from those of the inputs
 * (`ODOO_BACKUP_DATABASE`): a later job finds both in its environment.
 */
export const dotenvFile = 'odoo-backup.env';
/** The output `json`: a dotenv report may hold 5 KiB altogether. */
export const jsonFile = 'odoo-backup.json';
/** What a person should have read, as a page: an artifact. */
export const htmlFile = 'odoo-backup.html';
/** Links beside the job's log, as `artifacts:reports:annotations`. */
export const linksFile = 'odoo-backup-links.json';
/** The output `matrix`, as a child pipeline. */
export const pipelineFile = 'odoo-backup-hosts.yml';

/**
 * A job of a GitLab pipeline: inputs from ODOO_BACKUP_* variables, log with collapsed sections, results in files
 * of the working folder.
 */
export function gitlabPlatform(
  line: CommandLine,
  env: Environment,
  stdout: NodeJS.WritableStream,
  now: () => number = Date.now,
): Platform {
  const mask = new Mask();
  const print = (message: string) => stdout.write(`${mask.apply(message)}\n`);
  const say = (message: string) => print(harmless(message));
  let sections = 0;
  const results: string[] = [];
  // An artifact of a job before this one lies there under the same name: it would pass for this job's.
  for (const file of [dotenvFile, jsonFile, htmlFile, linksFile]) rmSync(file, { force: true });
  const warning = (message: string) => print(`${yellow}WARNING: ${harmless(message)}${plain}`);
  const report = new Report(env, (text) => mask.apply(text), warning);
  return {
    run: identity(env),
    progressIntervalMs: 5000,
    input: line.input,
    secret: (value) => mask.add(value),
    group: async (title, body) => {
      const id = `odoo_backup_${++sections}`;
      stdout.write(marker('start', now(), `${id}[collapsed=true]`));
      say(title);
      try {
        return await body();
      } finally {
        stdout.write(`${marker('end', now(), id)}\n`);
      }
    },
    info: say,
    notice: say,
    warning,
    progress: say,
    output: (name, value) => {
      if (name === 'json') return writeFileSync(jsonFile, value);
      if (name === 'matrix') return writeFileSync(pipelineFile, childPipeline(value));
      if (name === 'uri') report.archive(value, line);
      results.push(`${resultVariable(name)}=${value}\n`);
      writeFileSync(dotenvFile, results.join(''));
    },
    summary: async (summary) => {
      say(`\n${plainText(summary)}`);
      report.add(summary);
    },
    fail: (error) => {
      const why = describeError(error);
      print(`${red}ERROR: ${harmless(why.join('\n  '))}${plain}`);
      report.fail(why);
    },
  };
}

/** The page of a job and the links beside its log, written anew with all that is known whenever something is. */
class Report {
  readonly #env: Environment;
  readonly #mask: (text: string) => string;
  readonly #warning: (message: string) => void;
  readonly #summaries: Summary[] = [];
  #archive: Link | undefined;

  constructor(env: Environment, mask: (text: string) => string, warning: (message: string) => void) {
    this.#env = env;
    this.#mask = mask;
    this.#warning = warning;
  }

  add(summary: Summary): void {
    this.#summaries.push(summary);
    this.#write([]);
  }

  fail(why: readonly string[]): void {
    this.#write(why);
  }

  /** Amazon's console shows it; of another server nobody knows whether it has one. */
  archive(uri: string, { input }: CommandLine): void {
    const region = input('aws-region') || this.#env.AWS_REGION || this.#env.AWS_DEFAULT_REGION;
    const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
    if (!region || !bucket || !key || input('s3-endpoint') || this.#env.AWS_ENDPOINT_URL_S3) return;
    const url = new URL(`https://${region}.console.aws.amazon.com/s3/object/${bucket}`);
    url.search = new URLSearchParams({ region, prefix: key }).toString();
    this.#archive = { label: 'Archive in S3', url: url.href };
  }

  #write(failure: readonly string[]): void {
    const { CI_JOB_NAME, CI_JOB_URL, CI_PROJECT_PATH } = this.#env;
    const heading = [CI_JOB_NAME ?? 'odoo-backup', CI_PROJECT_PATH].filter(Boolean).join(' · ');
    const page = CI_JOB_URL && { label: 'Report', url: `${CI_JOB_URL}/artifacts/file/${htmlFile}` };
    const links = [page, this.#archive].filter((link) => link !== undefined && link !== '');
    try {
      writeFileSync(htmlFile, this.#mask(htmlOf(heading, this.#summaries, failure)));
      const annotations = { 'Odoo backup': links.map((link) => ({ external_link: link })) };
      if (links.length > 0) writeFileSync(linksFile, JSON.stringify(annotations));
    } catch (error) {
      this.#warning(`The report could not be written: ${messageOf(error)}`);
    }
  }
}

/** https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsannotations */
interface Link {
  readonly label: string;
  readonly url: string;
}

/** A line of the host's must not begin or end a section of the log, or be seen as another line. */
const harmless = (message: string): string => message.replaceAll(/[\x00-\x08\x0b-\x1f\x7f]/g, '');

const yellow = '\x1b[33m';
const red = '\x1b[31m';
const plain = '\x1b[0m';

/** https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections */
function marker(kind: 'start' | 'end', nowMs: number, id: string): string {
  return `\x1b[0Ksection_${kind}:${Math.floor(nowMs / 1000)}:${id}\r\x1b[0K`;
}

/** `ODOO_BACKUP_RESULT_ODOO_VERSION` for `odoo-version`. */
function resultVariable(name: string): string {
  return `ODOO_BACKUP_RESULT_${name.replaceAll('-', '_').toUpperCase()}`;
}

/** https://docs.gitlab.com/ci/variables/predefined_variables/ */
function identity(env: Environment): RunIdentity {
  return {
    platform: 'gitlab',
    actor: env.GITLAB_USER_LOGIN,
    repository: env.CI_PROJECT_PATH,
    commit: env.CI_COMMIT_SHA,
    ref: env.CI_COMMIT_REF_NAME,
    url: env.CI_JOB_URL,
  };
}
