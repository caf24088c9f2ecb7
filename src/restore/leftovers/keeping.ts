import { listDerivedFolders, noteFolder } from '../../odoo/folder-swap.ts';
import { listDerivedDatabases } from '../../postgres/databases.ts';
import { commentOn } from '../../postgres/swap.ts';
import { formatBytes, formatInstant } from '../../util/format.ts';
import type { Work } from '../work.ts';
import type { LeftoverPlace, Remains, Replaced } from './leftovers.ts';
import { type Keep, keepFrom, longerOf, markText, parseMark } from './marks.ts';

/** What becomes of something that was replaced, once Odoo is healthy. */
export interface Fate extends Replaced {
  /** undefined: it is removed. */
  readonly keep: 'always' | Date | undefined;
  /** For the plan: where it comes from, what it takes, and why it is removed. */
  readonly about: readonly string[];
}

/** The fates of what this run replaces, and of what earlier runs have replaced, as far as they change now. */
export function fatesOf({ target, databases, filestore, findings, request, startedAt }: Work): Fate[] {
  const rule = keepFrom(request.keepPrevious, startedAt);
  const { interrupted, expired } = target.leftovers;
  const goneBefore = new Set(findings.dropFirst);
  const current = { database: databases.old, folder: filestore?.swap.old };
  return [
    ...expired.filter((each) => !goneBefore.has(each)).map((each) => ({ ...placesOf(each), ...KEPT_LONG })),
    ...interrupted.map((each) => interruptedFate(each, rule, request.inPlace)),
    ...((current.database ?? current.folder) === undefined ? [] : [currentFate()]),
  ];

  function currentFate(): Fate {
    if (target.current?.isBroken) return { ...current, keep: undefined, about: ['its DROP was cut'] };
    if (rule === 'until-healthy') return { ...current, keep: undefined, about: [] };
    if (rule !== 'always' && findings.shortage !== undefined) {
      return { ...current, keep: undefined, about: [`not kept: ${findings.shortage}`] };
    }
    const rows = target.current ? target.current.bytes : 0;
    return { ...current, keep: rule, about: [takes(rows, findings.difference?.onlyLive.bytes)] };
  }
}

const KEPT_LONG = { keep: undefined, about: ['kept long enough'] };

const placesOf = ({ database, folder }: Replaced): Replaced => ({ database, folder });

function interruptedFate(remains: Remains, rule: Keep, inPlace: boolean): Fate {
  const { mark, bytes } = remains;
  const longest = longerOf(mark?.keep ?? 'always', rule);
  const about = [leftBy(remains, inPlace), ...(bytes === 0 ? [] : [takes(bytes)])];
  return { ...placesOf(remains), keep: longest === 'until-healthy' ? undefined : longest, about };
}

/** `left by an interrupted rollback, as of 2026-11-21 15:47:59 UTC` */
export const leftBy = ({ mark }: Pick<Remains, 'mark'>, inPlace: boolean): string =>
  `left by an interrupted ${inPlace ? 'rollback' : 'restore'}${mark ? `, as of ${formatInstant(mark.at)}` : ''}`;

function takes(bytes: number | null, fileBytes = 0): string {
  if (bytes === null) return 'its size is unknown';
  return `it takes ${formatBytes(bytes + fileBytes)}`;
}

/** `until 2026-12-02 22:05:28 UTC` */
export const howLong = (keep: 'always' | Date): string =>
  keep === 'always' ? 'until you drop it' : `until ${formatInstant(keep)}`;

/** `kept until 2026-11-24 15:47:59 UTC` */
export const keptUntil = ({ mark }: Remains): string | undefined =>
  mark && mark.keep !== 'until-healthy' ? `kept ${howLong(mark.keep)}` : undefined;

/**
 * Notes how long each is kept, in its own mark: until then, no run removes it. What is to be removed may go
 * from now on, whenever that succeeds.
 */
export async function settle(
  { admin, database, filestore }: LeftoverPlace,
  fates: readonly Fate[],
): Promise<void> {
  const [databases, folders] = await Promise.all([
    listDerivedDatabases(admin, database),
    filestore ? listDerivedFolders(filestore) : [],
  ]);
  for (const { database: name, folder, keep = new Date() } of fates) {
    const settled = (text: string | null | undefined) => {
      const mark = parseMark(text ?? null);
      return mark && markText({ ...mark, settled: true, keep });
    };
    const note = settled(folders.find(({ path }) => path === folder)?.note);
    if (note !== undefined && folder !== undefined && filestore) await noteFolder(filestore, folder, note);
    const comment = settled(databases.find((each) => each.name === name)?.comment);
    if (comment !== undefined && name !== undefined) await commentOn(admin, name, comment);
  }
}
