import * as core from '@actions/core';
import { messageOf } from '../errors.ts';
import { markdownOf } from '../report/markdown.ts';
import { piecesOf } from './mask.ts';
import { describeError, type Environment, type Platform, type RunIdentity } from './platform.ts';

/** A step of a GitHub workflow: inputs, log, annotations, outputs and job summary. */
export function githubPlatform(env: Environment): Platform {
  const info = (message: string) => core.info(harmless(message));
  return {
    run: identity(env),
    progressIntervalMs: 5000,
    input: (name) => core.getInput(name),
    // The runner masks line by line.
    secret: (value) => {
      for (const piece of piecesOf(value)) core.setSecret(piece);
    },
    group: (title, body) => core.group(title, body),
    info,
    notice: (message) => core.notice(message),
    warning: (message) => core.warning(message),
    progress: info,
    output: (name, value) => core.setOutput(name, value),
    summary: async (summary) => {
      try {
        await core.summary.addRaw(markdownOf(summary), true).write();
      } catch (error) {
        core.warning(`The job summary could not be written: ${messageOf(error)}`);
      }
    },
    fail: (error) => core.error(describeError(error).join('\n')),
  };
}

/** A line of the host's that looks like a workflow command must not become one (`::add-mask::`, `##[…]`). */
function harmless(message: string): string {
  return message.replaceAll(/^(\s*):(?=:)/gm, '$1: ').replaceAll('##[', '# #[');
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
