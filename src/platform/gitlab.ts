import { rmSync, writeFileSync } from 'node:fs';
import { plainText } from '../report/plain.ts';
import { withTexts } from '../report/summary.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { failureOf } from './failure.ts';
import { childPipeline } from './gitlab-pipeline.ts';
import { jobToken } from './id-token.ts';
import { LogGroups } from './log-groups.ts';
import { logText } from './log-text.ts';
import { Mask } from './mask.ts';
import { LeftOut, Outputs } from './outputs.ts';
import { ReportPage } from './page.ts';
import {
  type Environment,
  failureLines,
  type Platform,
  type RawInputs,
  type RunIdentity,
} from './platform.ts';

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
  line: RawInputs,
  env: Environment,
  stdout: NodeJS.WritableStream,
  now: () => number = Date.now,
): Platform {
  const mask = new Mask();
  const fit = logText({ ...env, GITLAB_CI: 'true' });
  const clean = (message: string) => fit(mask.apply(message));
  const print = (message: string) => stdout.write(`${message}\n`);
  let sections = 0;
  const groups = new LogGroups(
    {
      begin: (title) => {
        const id = `odoo_backup_${++sections}`;
        open.push(id);
        stdout.write(`${marker('start', now(), `${id}[collapsed=true]`)}${title}\n`);
      },
      end: () => stdout.write(`${marker('end', now(), open.pop() ?? '')}\n`),
      print,
    },
    now,
  );
  const open: string[] = [];
  const say = (message: string) => groups.say(clean(message));
  const warning = (message: string) => {
    groups.flush();
    print(`${yellow}WARNING: ${clean(message)}${plain}`);
  };
  const heading = [env.CI_JOB_NAME ?? 'odoo-backup', env.CI_PROJECT_PATH].filter(Boolean).join(' · ');
  const page = new ReportPage({ path: htmlFile, heading, mask: (text) => mask.apply(text), warning });
  const links = new Links(env, warning);
  const dotenv = new Dotenv();
  const outputs = new Outputs((name, value) => {
    if (name === 'json') return writeFileSync(jsonFile, value);
    if (name === 'matrix') return writeFileSync(pipelineFile, childPipeline(value));
    if (name === 'uri') links.archive(value, line);
    dotenv.add(name, value);
  }, warning);
  return {
    run: identity(env),
    progressIntervalMs: 5000,
    input: line.input,
    given: () => line.flags ?? [],
    secret: (value) => mask.add(value),
    idToken: (audience) => jobToken(audience, env),
    prepare: prepareFiles,
    group: (title, body) => groups.group(clean(title), body),
    info: say,
    notice: say,
    warning,
    progress: say,
    output: (name, value) => outputs.give(name, value),
    summary: async (summary) => {
      say(`\n${plainText(withTexts(summary, (text) => mask.apply(text)))}`);
      page.add(summary);
      links.write();
    },
    finish: async () => outputs.assertWritten(),
    fail: (error, left = '') => {
      groups.flush();
      print(`${red}ERROR: ${clean(failureLines(error).join('\n  '))}${plain}`);
      page.fail(failureOf(error, left));
      links.write();
    },
  };
}

/**
 * Removes what a job before this one has left under the same names, which would pass for this job's, and looks whether
 * files can be written at all.
 *
 * @throws UserError where they cannot
 */
function prepareFiles(): void {
  try {
    for (const file of [dotenvFile, jsonFile, htmlFile, linksFile]) rmSync(file, { force: true });
    writeFileSync(dotenvFile, '\n');
    rmSync(dotenvFile);
  } catch (error) {
    throw new UserError(
      `The results of this job cannot be written: ${messageOf(error)}`,
      `Nothing was touched. They go into the working folder, ${process.cwd()}: make room there, and let the job write to it.`,
    );
  }
}

/**
 * The dotenv report. GitLab reads it line by line, the name up to the first `=` and the value as it is, without
 * quotes or escapes; it expands variables in the values, and takes less than 5 KiB.
 * https://gitlab.com/gitlab-org/gitlab/-/blob/master/app/services/ci/parse_dotenv_artifact_service.rb
 */
class Dotenv {
  readonly #lines: string[] = [];

  /** @throws LeftOut; Error where the file cannot be written */
  add(name: string, value: string): void {
    if (/[$%]/.test(value)) throw new LeftOut('its value has a $ or % in it, which GitLab would expand.');
    const text = [...this.#lines, `${resultVariable(name)}=${value}\n`].join('');
    if (Buffer.byteLength(text) >= DOTENV_BYTES)
      throw new LeftOut('GitLab takes 5 KiB of outputs altogether.');
    this.#lines.push(`${resultVariable(name)}=${value}\n`);
    writeFileSync(dotenvFile, text);
  }
}

const DOTENV_BYTES = 5 * 1024;

/** The links beside the log of a job: to its page, and to the archive. */
class Links {
  readonly #env: Environment;
  readonly #warning: (message: string) => void;
  #archive: ReportLink | undefined;

  constructor(env: Environment, warning: (message: string) => void) {
    this.#env = env;
    this.#warning = warning;
  }

  /** Amazon's console shows it; whether another server has a console is not known. */
  archive(uri: string, { input }: RawInputs): void {
    const region = input('aws-region') || this.#env.AWS_REGION || this.#env.AWS_DEFAULT_REGION;
    const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
    const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = this.#env;
    const endpoint = input('s3-endpoint') || AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL;
    if (!region || !bucket || !key || endpoint) return;
    const url = new URL(`https://${region}.console.aws.amazon.com/s3/object/${bucket}`);
    url.search = new URLSearchParams({ region, prefix: key }).toString();
    this.#archive = { label: 'Archive in S3', url: url.href };
  }

  write(): void {
    const { CI_JOB_URL } = this.#env;
    const page = CI_JOB_URL && { label: 'Report', url: `${CI_JOB_URL}/artifacts/file/${htmlFile}` };
    const links = [page, this.#archive].filter((link) => link !== undefined && link !== '');
    if (links.length === 0) return;
    try {
      const annotations = { 'Odoo backup': links.map((link) => ({ external_link: link })) };
      writeFileSync(linksFile, JSON.stringify(annotations));
    } catch (error) {
      this.#warning(`The links beside the log could not be written: ${messageOf(error)}`);
    }
  }
}

/** https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsannotations */
interface ReportLink {
  readonly label: string;
  readonly url: string;
}

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
