import type { BackupDescription } from '../archive/manifest.ts';
import type { FilestoreReport } from '../host/filestore.ts';
import { tool } from '../version.ts';
import type { Source, Target } from './source.ts';

/** What a restore needs to know of a backup. @param filestore null: it is without one */
export function describe(
  { odoo, snapshot, facts, attached }: Source,
  target: Target,
  filestore: FilestoreReport | null,
): BackupDescription {
  return {
    version: 1,
    tool,
    database: odoo.database,
    startedAt: target.startedAt.toISOString(),
    odooVersion: facts.odooVersion,
    postgres: {
      server: snapshot.postgres.serverVersion,
      pgDump: snapshot.postgres.client.major,
      ...facts.traits,
    },
    databaseBytes: facts.databaseBytes,
    extensions: facts.extensions,
    extensionState: facts.extensionState,
    roles: facts.roles,
    counts: facts.counts,
    sequencesBehind: facts.sequencesBehind,
    attachments: { files: attached, ...facts.attachments },
    filestore,
  };
}
