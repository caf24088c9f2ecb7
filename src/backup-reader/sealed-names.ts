// A sealed archive is a zip whose members are files of age. Those that compress are packed by gzip before. The files of a
// dump in directory format are as pg_dump has made them, and those of the filestore as Odoo has: both may be packed
// already, and nothing in `dump/` or `filestore/` is packed once more.

const SEALED = '.age';
const PACKED = '.gz';

/** The name that a sealed member has in the zip. */
export const sealedName = (name: string, isPacked: boolean): string =>
  `${name}${isPacked ? PACKED : ''}${SEALED}`;

/** How a member's content is to be opened, by its name in the zip. */
export interface SealedName {
  /** The name of what comes out. */
  readonly name: string;
  readonly isPacked: boolean;
}

/** @returns undefined for a member that is not sealed */
export function parseSealedName(stored: string): SealedName | undefined {
  if (!stored.endsWith(SEALED)) return undefined;
  const name = stored.slice(0, -SEALED.length);
  const isPacked = !name.includes('/') && name.endsWith(PACKED);
  return { name: isPacked ? name.slice(0, -PACKED.length) : name, isPacked };
}

/** The last member of a sealed archive, by which it is known. It is always packed. */
export const SEALED_DESCRIPTION = sealedName('backup.json', true);
