import type { Platform } from '../platform/platform.ts';
import { formatAge, formatBytes, formatCounted, formatInstant } from '../report/format.ts';
import { bytesOf, type Findings, sessionName } from './preflight.ts';
import type { RestoreSource } from './source.ts';
import type { Target } from './target.ts';

/** Tells what there is: the backup, what it would replace, and what stands in the way. */
export function tellFindings(
  source: RestoreSource,
  target: Target,
  findings: Findings,
  platform: Platform,
): void {
  const lines = [
    `Backup: ${source.uri}`,
    `  ${[ageOf(source), formatBytes(source.size), odooOf(source), provenHow(source)].filter(Boolean).join(', ')}`,
    ...whatIsReplaced(target, findings),
    ...(target.leftovers.kept.length > 0
      ? [`Kept from earlier restores: ${target.leftovers.kept.map(({ database }) => database).join(', ')}`]
      : []),
    ...findings.problems.map(({ message, hint }) => `In the way: ${message}\n  ${hint}`),
  ];
  for (const line of lines) platform.info(line);
}

const ageOf = ({ createdAt }: RestoreSource): string =>
  createdAt ? `${formatInstant(createdAt)}, ${formatAge(createdAt, new Date())}` : '';

const odooOf = ({ odooVersion }: RestoreSource): string => (odooVersion ? `Odoo ${odooVersion}` : '');

/** `verified: upload`: the last of its proofs. */
export function provenHow({ receipt }: Pick<RestoreSource, 'receipt'>): string {
  if (!receipt) return 'no receipt: not verified';
  const proof = receipt.proofs.at(-1);
  return proof ? `verified: ${proof.level}` : 'has a receipt';
}

function whatIsReplaced({ database, current, filestore, services }: Target, findings: Findings): string[] {
  const { sessions, difference, running } = findings;
  if (!current) return [`There is no database ${database} on the host: nothing is replaced`];
  const users = sessions.reduce((sum, { count }) => sum + count, 0);
  const connected = `${formatCounted(users, 'session')}${users > 0 ? ` (${sessions.map(sessionName).join(', ')})` : ''}`;
  const size = current.bytes === null ? 'of unknown size' : formatBytes(current.bytes);
  const lost = difference?.onlyLive ?? [];
  return [
    `To be replaced: the database ${database}, ${size}, ${connected} connected`,
    ...(difference && filestore
      ? [
          `  and ${filestore.path}: ${formatCounted(lost.length, 'file')} of ${formatBytes(bytesOf(lost))} are only there, and not in the backup`,
        ]
      : []),
    ...(services
      ? [`  Odoo ${running === undefined ? 'may run' : running ? 'runs' : 'does not run'} now`]
      : []),
    'Expected downtime: Odoo’s own stop and start, and about a second for the renames',
  ];
}
