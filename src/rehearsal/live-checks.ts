import { openReconnectingHost } from '../host/ssh/open-host.ts';
import { findInstallation, odooRoleOf } from '../odoo/installation.ts';
import { openSite } from '../odoo/open-site.ts';
import type { Run } from '../platform/run.ts';
import { findDatabase } from '../postgres/databases.ts';
import { ownerLogin } from '../postgres/owner-login.ts';
import { code, type Summary } from '../report/summary.ts';
import { UserError } from '../util/errors.ts';
import { formatCounted, formatDuration } from '../util/format.ts';
import { type CheckResult, failedChecks, runChecks } from './checks.ts';
import type { LiveCheckOptions } from './options.ts';

/**
 * Runs the checks of a rehearsal on the database in use, read only, as after a deploy.
 *
 * @throws UserError where one has failed
 */
export async function checkLive(inputs: LiveCheckOptions, run: Run): Promise<void> {
  const { platform, phases, signal } = run;
  const startedAt = Date.now();
  await using host = await phases.run('connect', `Connect to ${inputs.ssh.user}@${inputs.ssh.host}`, () =>
    openReconnectingHost(inputs.ssh, platform, signal),
  );
  const { database, login } = await phases.run('host', 'Odoo on the host', async () => {
    const secret = (password: string) => platform.secret(password);
    const settings = { ...inputs.odoo, filestore: false };
    const found = await findInstallation(await openSite(host, inputs), settings, undefined, { secret });
    const state = await findDatabase(found.postgres, found.database);
    if (!state) {
      throw new UserError(
        `There is no database ${found.database} on ${host.label}`,
        'Correct the input database.',
      );
    }
    // A superuser would run what the owner of the database has put into it.
    const role = odooRoleOf(found, inputs.odoo.dbUser);
    return { database: found.database, login: await ownerLogin(found.postgres, state.owner, role) };
  });
  const results: CheckResult[] = [];
  const title = `Check the data of ${database}: ${formatCounted(inputs.checks.length, 'file')} of rehearse-checks`;
  await phases.run('checks', title, () =>
    runChecks({ login, database, statementMs: inputs.timeoutMs }, inputs.checks, results, {
      platform,
      signal,
    }),
  );
  const seconds = (Date.now() - startedAt) / 1000;
  const failed = failedChecks(results);
  platform.output('json', JSON.stringify({ result: failed ? 'failed' : 'works', checks: results }));
  platform.output('database', database);
  platform.output('duration', seconds.toFixed(1));
  await platform.summary(summaryOf(database, host.label, results, seconds));
  if (failed) throw failed;
}

function summaryOf(
  database: string,
  host: string,
  results: readonly CheckResult[],
  seconds: number,
): Summary {
  const failed = results.filter(({ passed }) => !passed).length;
  return {
    outcome: failed > 0 ? 'failed' : 'done',
    title:
      failed > 0
        ? `${database}: ${failed} of ${formatCounted(results.length, 'check')} failed`
        : `${database}: ${formatCounted(results.length, 'check')} passed`,
    blocks: [
      {
        kind: 'facts',
        rows: [
          ['Database', [code(database), ` on ${host}`]],
          ...results.map(
            ({ name, passed, found }) =>
              [passed ? 'Check' : 'Check failed', [code(name), `: ${found}`]] as const,
          ),
          ['Time', formatDuration(seconds * 1000)],
        ],
      },
    ],
  };
}
