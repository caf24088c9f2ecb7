import type { ArchivedFiles } from '../backup-reader/filestore.ts';
import type { RestoreSource } from '../backup-reader/open.ts';
import type { OwnedFolder } from '../host/owned-folder.ts';
import type { FolderSwap } from '../odoo/folder-swap.ts';
import type { Run } from '../platform/run.ts';
import { derivedFolder, derivedName, timestampOf } from '../postgres/derived-names.ts';
import type { Swap } from '../postgres/swap.ts';
import type { Findings } from './preflight/findings.ts';
import type { Request } from './request.ts';
import type { Target } from './target.ts';

/** The filestore that a restore builds. */
export interface FilestoreWork {
  readonly live: OwnedFolder;
  readonly wanted: ArchivedFiles;
  readonly swap: FolderSwap;
  /** The new folder, as a place that files can be written to. */
  readonly staged: OwnedFolder;
}

/** Everything that the steps of one restore work on. */
export interface Work extends Run {
  readonly source: RestoreSource;
  readonly target: Target;
  readonly findings: Findings;
  readonly request: Request;
  readonly startedAt: Date;
  /** `new` is what is built, `old` what is replaced. */
  readonly databases: Swap;
  /** undefined: it is left alone. */
  readonly filestore: FilestoreWork | undefined;
  /** What is not as in the backup, in words: grows while the steps run. */
  readonly leftOut: string[];
  /** @throws UserError when another run may have begun */
  assertLocked(): Promise<void>;
  /** The same, and tells whoever undoes it that what is built belongs to this run. */
  beginSwap(): Promise<void>;
}

export function workOf(given: Omit<Work, 'databases' | 'filestore' | 'leftOut'>): Work {
  const { target, source, startedAt } = given;
  const timestamp = timestampOf(startedAt);
  const name = (derivation: 'new' | 'old') => derivedName(target.database, derivation, timestamp);
  const databases = {
    current: target.database,
    old: target.current ? name('old') : undefined,
    new: name('new'),
  };
  return {
    ...given,
    databases,
    leftOut: [],
    filestore: filestoreWork(target.filestore, source, timestamp),
  };
}

function filestoreWork(
  live: OwnedFolder | undefined,
  source: RestoreSource,
  timestamp: string,
): FilestoreWork | undefined {
  if (!live || !source.filestore) return undefined;
  const path = (derivation: 'new' | 'old') => derivedFolder(live.path, derivation, timestamp);
  const swap = { current: live.path, old: live.exists ? path('old') : undefined, new: path('new') };
  return {
    live,
    wanted: source.filestore,
    swap,
    staged: { ...live, path: swap.new, exists: true },
  };
}
