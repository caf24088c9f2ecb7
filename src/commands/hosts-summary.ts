import type { HostJob } from '../inputs/hosts.ts';
import { code, type Summary } from '../report/summary.ts';
import { formatCounted } from '../util/format.ts';

const ROWS = 1000;

export function hostsSummary(jobs: readonly HostJob[]): Summary {
  const hosts = new Set(jobs.map(({ host }) => host)).size;
  const rows = jobs
    .slice(0, ROWS)
    .map(({ host, database, environment, every }) => [
      code(host),
      database ? code(database) : 'as odoo.conf says',
      environment,
      every && `every ${every}`,
    ]);
  const rest = jobs.length - rows.length;
  return {
    outcome: 'done',
    title: `${formatCounted(jobs.length, 'job', 'jobs')} for ${formatCounted(hosts, 'host', 'hosts')}`,
    blocks: [
      {
        kind: 'table',
        columns: ['Host', 'Database', 'Environment', 'Backup'].map((name) => ({ name })),
        rows,
      },
      ...(rest > 0 ? [{ kind: 'note', text: `and ${rest} more` } as const] : []),
    ],
  };
}
