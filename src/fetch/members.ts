import type { DumpFile } from '../backup-reader/dump.ts';
import type { RestoreSource } from '../backup-reader/open.ts';
import { quoted } from '../util/controls.ts';
import { UserError } from '../util/errors.ts';
import { formatCounted, formatNames } from '../util/format.ts';

const NAMED = 10;

/**
 * The file of an archive that a person has asked for.
 *
 * @param asked its name, or `.dump` for the one whose name ends so
 * @throws UserError where there is none, with those that there are
 */
export function findMember(
  { members, member, uri }: Pick<RestoreSource, 'members' | 'member' | 'uri'>,
  asked: string,
): DumpFile {
  if (!members) {
    throw new UserError(
      `${uri} is a dump alone, and no archive with members`,
      'Fetch it whole: leave member out.',
    );
  }
  const top = [...members.others.keys()].filter((name) => !name.includes('/'));
  const ending = asked === '.dump' ? top.filter((name) => name.endsWith(asked)) : [];
  const found = member(ending.length === 1 ? (ending[0] as string) : asked);
  if (found) return found;
  const others = members.size - top.length;
  const inFolders = others > 0 ? `, and ${formatCounted(others, 'file')} in folders` : '';
  throw new UserError(
    `The archive has no member ${quoted(asked)}`,
    `It has ${formatNames(top.map(quoted), NAMED) || 'none'}${inFolders}.`,
  );
}
