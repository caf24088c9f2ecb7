import type { Environment } from '../platform/platform.ts';
import { type BackupInputs, parseBackupPart } from './backup.ts';
import type { Fields } from './fields.ts';
import { parseRollback, type RollbackInputs } from './restore.ts';
import type { InputName } from './table.ts';

export interface DoctorInputs {
  readonly command: 'doctor';
  /** A dry run of a backup, for which S3 is not asked. */
  readonly backup: BackupInputs;
  /** A dry run of a rollback; undefined: no input says how Odoo stops. */
  readonly rollback: RollbackInputs | undefined;
  /** It makes no backup: a monitor that waits for one is told nothing. */
  readonly dryRun: true;
  /** Time limit of the whole run. */
  readonly timeoutMs: number;
  /** Warnings about inputs that are given and have no effect. */
  readonly warnings: readonly string[];
}

/** The inputs of which a rollback needs one. */
const stopping: readonly InputName[] = ['services', 'stop-command', 'start-command', 'compose-odoo-service'];

/** @returns undefined when something that must be there is not */
export function parseDoctor(fields: Fields, env: Environment): DoctorInputs | undefined {
  const backup = parseBackupPart(fields, env);
  if (backup && backup.databases.kind !== 'one') {
    fields.problem('database: accepts one database: run doctor once for each');
    return undefined;
  }
  // All of them are asked for, so that each counts as an input of this command.
  const stops = stopping.map((name) => fields.given(name)).some(Boolean);
  fields.given('decrypt-with');
  const rollback = stops ? parseRollback(fields, env) : undefined;
  if (!backup) return undefined;
  return {
    command: 'doctor',
    backup: { ...backup, dryRun: true, incremental: false },
    rollback: rollback && { ...rollback, dryRun: true },
    dryRun: true,
    timeoutMs: backup.timeoutMs,
    warnings: backup.warnings,
  };
}
