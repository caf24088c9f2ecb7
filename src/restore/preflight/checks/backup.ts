import { serverMajorOf } from '../../../backup-reader/versions.ts';
import { formatBytes } from '../../../util/format.ts';
import { type Check, problem } from '../check.ts';

/** A rollback takes a backup of the database itself. */
export const isOfDatabase: Check = ({ source: { uri, database: of }, target: { database }, request }) => {
  if (!request.inPlace || of === database) return {};
  if (of === undefined) return { warnings: [`${uri} does not say which database it is of`] };
  return problem(
    `The backup is of ${of}, and the database to roll back is ${database}`,
    'Choose a backup of this database, or use the command restore, which makes a copy under another name.',
  );
};

/** A copy is made from a backup of the database that the inputs name. */
export const isOfNamedDatabase: Check = ({ source: { database: of }, request: { inPlace, source } }) => {
  if (inPlace || source === undefined || of === undefined || source === of) return {};
  return problem(
    `database: the backup is of ${of}, and not of ${source}`,
    'Choose a backup of that database, or leave the input database out.',
  );
};

/** A copy replaces what is there only if it is asked to. */
export const isTargetFree: Check = ({ source, target, request: { inPlace, replace } }) => {
  const { database, current, filestore } = target;
  const takesFilestore = filestore?.exists && source.filestore !== undefined;
  if (inPlace || replace || !(current || takesFilestore)) return {};
  const size = current?.bytes == null ? 'data' : formatBytes(current.bytes);
  return problem(
    current
      ? `target-database: ${database} is there already, with ${size}`
      : `target-database: there is no database ${database}, but its filestore is there already: ${filestore?.path}`,
    'Choose another name, or set replace: true.',
  );
};

/** A copy in the place of its original may have been meant as a rollback. */
export const isNoOriginal: Check = ({ source, target: { database, current }, request }) => {
  const { inPlace, replace, neutralize } = request;
  if (inPlace || !current || !replace || !neutralize || source.database !== database) return {};
  return {
    warnings: [
      `${database} has the same name as the backed-up database, and will be neutralized: to put a backup back as it was, use the command rollback`,
    ],
  };
};

export const isVerified: Check = ({ source: { receipt } }) =>
  receipt
    ? {}
    : {
        warnings: [
          'The backup has no receipt: nobody has verified that it is whole, and it is restored without verification (allow-unverified)',
        ],
      };

/** Beside a sealed backup, what is salvaged is sealed as well: else it would show what that hides. */
export const isSalvageable: Check = ({ source, request }) => {
  if (!request.salvage || request.encryptTo || !source.isSealed) return {};
  return problem(
    'salvage: the backup is sealed, and what is salvaged would lie beside it for everybody who reads the bucket',
    'Set encrypt-to, as for the backup, so that it is encrypted too; or leave salvage out, and keep what is replaced for longer (keep-previous).',
  );
};

/** Dumps do not go to an older major version. */
export const isOfOlderServer: Check = ({ source, target: { postgres } }) => {
  const made = serverMajorOf(source);
  if (made === undefined) return {};
  const { version } = postgres;
  if (version.isAtLeast(made)) return { passed: [`PostgreSQL ${version.text} takes a dump of ${made}`] };
  return problem(
    `The backup is of PostgreSQL ${made}, and the host has ${version.text}: dumps do not go to an older major version`,
    `Restore it to a server of PostgreSQL ${made} or newer.`,
  );
};
