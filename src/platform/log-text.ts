import { printable } from '../util/controls.ts';
import type { Environment } from './platform.ts';

/**
 * Makes a text of any origin fit for the log of the CI: nothing in it is a control character, a command of GitHub's
 * runner or a section of GitLab's. What the program itself means as such is added after that.
 */
export function logText(env: Environment): (text: string) => string {
  const forGithub = env.GITHUB_ACTIONS === 'true' ? withoutCommands : same;
  const forGitlab = env.GITLAB_CI === 'true' ? withoutSections : same;
  return (text) => forGitlab(forGithub(printable(text)));
}

const same = (text: string): string => text;

/**
 * The runner takes a line for a command that begins with `::` after any white space, or that has `##[` anywhere. Of
 * the white space of .NET, U+0085 is gone already, and the rest is JavaScript's.
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
export const withoutCommands = (text: string): string =>
  text.replaceAll(/^(\s*):(?=:)/gm, '$1: ').replaceAll('##[', '# #[');

/** https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections */
const withoutSections = (text: string): string => text.replaceAll(/section_(start|end):/g, 'section_$1 :');
