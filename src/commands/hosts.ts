import type { HostsInputs } from '../inputs/hosts.ts';
import type { Run } from '../platform/run.ts';
import { UserError } from '../util/errors.ts';
import { formatCounted } from '../util/format.ts';
import { hostsSummary } from './hosts-summary.ts';

/** https://docs.github.com/actions/reference/limits */
const GITHUB_MOST_JOBS = 256;

/**
 * Prints an inventory as a matrix of CI jobs, one for each host and database. Connects to nothing.
 *
 * @throws UserError when the CI does not take so many
 */
export async function hosts({ jobs, leftOut }: HostsInputs, { platform }: Run): Promise<void> {
  const { platform: where } = platform.run;
  if (leftOut.length > 0) {
    const names = `${leftOut.slice(0, 10).join(', ')}${leftOut.length > 10 ? ', …' : ''}`;
    platform.info(`${formatCounted(leftOut.length, 'host', 'hosts')} left out, without an Odoo: ${names}`);
  }
  if (jobs.length > GITHUB_MOST_JOBS && where !== 'gitlab') {
    const message = `${jobs.length} jobs: a matrix of GitHub's takes ${GITHUB_MOST_JOBS}`;
    const hint =
      'Run hosts once for each of several groups, with limit, and give each a job with a matrix of its own.';
    if (where === 'github') throw new UserError(message, hint);
    platform.warning(`${message}. ${hint}`);
  }
  platform.output('matrix', JSON.stringify({ include: jobs }));
  await platform.summary(hostsSummary(jobs));
}
