import { writeFileSync } from 'node:fs';
import { plainText } from '../report/plain.ts';
import type { CommandLine } from './command-line.ts';
import { Mask } from './mask.ts';
import { describeError, type Environment, type Platform, type RunIdentity } from './platform.ts';

/**
 * Results for later jobs, as `artifacts:reports:dotenv`. Their names differ from those of the inputs
 * (`ODOO_BACKUP_DATABASE`): a later job finds both in its environment.
 */
export const dotenvFile = 'odoo-backup.env';
/** The output `json`: a dotenv report may hold 5 KiB altogether. */
export const jsonFile = 'odoo-backup.json';

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
  let sections = 0;
  const results: string[] = [];
  return {
    run: identity(env),
    progressIntervalMs: 5000,
    input: line.input,
    secret: (value) => mask.add(value),
    group: async (title, body) => {
      const id = `odoo_backup_${++sections}`;
      stdout.write(marker('start', now(), `${id}[collapsed=true]`));
      print(title);
      try {
        return await body();
      } finally {
        stdout.write(`${marker('end', now(), id)}\n`);
      }
    },
    info: print,
    notice: print,
    warning: (message) => print(`${yellow}WARNING: ${message}${plain}`),
    progress: print,
    output: (name, value) => {
      if (name === 'json') return writeFileSync(jsonFile, value);
      results.push(`${resultVariable(name)}=${value}\n`);
      writeFileSync(dotenvFile, results.join(''));
    },
    summary: async (summary) => void print(`\n${plainText(summary)}`),
    fail: (error) => void print(`${red}ERROR: ${describeError(error).join('\n  ')}${plain}`),
  };
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
