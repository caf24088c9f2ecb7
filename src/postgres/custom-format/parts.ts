import type { TocEntry } from './entries.ts';
import type { DumpHead } from './head.ts';

/** When pg_restore restores an entry: privileges come behind everything else, and what may need them behind them. */
export type RestorePass = 'main' | 'privileges' | 'last';

/** What pg_restore restores of an entry. */
export interface EntryParts {
  readonly pass: RestorePass;
  readonly definition: boolean;
  readonly data: boolean;
  readonly statistics: boolean;
}

/** Major version of the pg_dump that wrote a dump. Versions before 13 are taken for that one. */
export const programMajor = ({ program = '' }: DumpHead): number =>
  Math.max(13, Number.parseInt(program, 10) || 0);

const SPECIAL = new Set(['ENCODING', 'STDSTRINGS', 'SEARCHPATH', 'DATABASE', 'DATABASE PROPERTIES']);
const ABOUT = new Set(['ACL', 'COMMENT', 'SECURITY LABEL']);
const DATA = new Set(['SEQUENCE SET', 'BLOB']);
/** What stands where a definition would, and is none. */
const COMMENT = '-- load via partition root ';

/** What pg_restore restores of an entry; undefined: nothing. `_tocEntryRequired` of pg_backup_archiver.c. */
export function partsOf(entry: TocEntry, head: DumpHead): EntryParts | undefined {
  const { kind, name, definition, hasData } = entry;
  const isAbout = ABOUT.has(kind);
  if (SPECIAL.has(kind) || (isAbout && name.startsWith('DATABASE '))) return undefined;
  const pass = passOf(entry);
  const major = programMajor(head);
  if (kind === 'STATISTICS DATA' && major >= 18)
    return { pass, definition: false, data: false, statistics: true };
  const largeObject = major >= 17 ? 'LARGE OBJECT' : 'LARGE OBJECT ';
  const isObjects = kind === 'BLOB METADATA' && major >= 17;
  const isData = hasData || DATA.has(kind) || isObjects || (isAbout && name.startsWith(largeObject));
  const isDefined = (definition ?? '') !== '' && !definition?.startsWith(COMMENT);
  const isDefinition = isDefined && (hasData || !isData);
  return isDefinition || isData
    ? { pass, definition: isDefinition, data: isData, statistics: false }
    : undefined;
}

/** `_tocEntryRestorePass` of pg_backup_archiver.c. */
function passOf({ kind, name, isPostData }: TocEntry): RestorePass {
  if (kind === 'ACL' || kind === 'DEFAULT ACL') return 'privileges';
  if (kind === 'EVENT TRIGGER' || kind === 'MATERIALIZED VIEW DATA') return 'last';
  if ((kind === 'COMMENT' || kind === 'SECURITY LABEL') && name.startsWith('EVENT TRIGGER ')) return 'last';
  return kind === 'STATISTICS DATA' && isPostData ? 'last' : 'main';
}
