import { LONGEST_SIGNATURE } from '../signing/sshsig.ts';
import { type Decoder, lines, list, oneOf, record, text } from '../util/decode.ts';

// What the texts of receipts and of backup.json look like. PostgreSQL, Odoo, git and S3 allow them all; many are put
// into statements, paths, keys and messages later.

/** A name of PostgreSQL ends at 63 bytes (NAMEDATALEN). It may hold anything: spaces, quotation marks, emoji. */
export const sqlName = text('a name of at most 63 bytes without control characters', 63, /./su);

/** `res_partner`, or `schema.table`. */
export const tableName = text('the name of a table', 127, /./su);

/** `17.0`, `saas~17.2`, `3.3.2`, `unknown` */
export const version = text('a version', 64, /^\w[\w.+~:-]*$/);

/** `15.18 (Debian 15.18-0+deb12u1)`, as `SHOW server_version` and `--version` say it. */
export const programVersion = text('the version of a program', 120, /^\d[\w.+~:,;()/ -]*$/);

/** Name of a tool or a program: `odoo-backup-action`, `pg_restore`. */
export const toolName = text('the name of a program', 64, /^\w[\w./@-]*$/);

export const programVersions = record(toolName, programVersion, 100);

/** `uuid-ossp`, `pg_trgm` */
export const extensionName = text('the name of an extension', 63, /^\w[\w.+-]*$/);

/** The encodings that a database can have: https://www.postgresql.org/docs/current/multibyte.html */
export const encoding = oneOf(
  ...([
    'UTF8',
    'SQL_ASCII',
    'EUC_CN',
    'EUC_JP',
    'EUC_JIS_2004',
    'EUC_KR',
    'EUC_TW',
    'MULE_INTERNAL',
  ] as const),
  ...(['LATIN1', 'LATIN2', 'LATIN3', 'LATIN4', 'LATIN5', 'LATIN6', 'LATIN7', 'LATIN8'] as const),
  ...(['LATIN9', 'LATIN10', 'ISO_8859_5', 'ISO_8859_6', 'ISO_8859_7', 'ISO_8859_8'] as const),
  ...(['KOI8R', 'KOI8U', 'WIN866', 'WIN874', 'WIN1250', 'WIN1251', 'WIN1252', 'WIN1253'] as const),
  ...(['WIN1254', 'WIN1255', 'WIN1256', 'WIN1257', 'WIN1258'] as const),
);

/** `fr_FR.UTF-8`, `French_France.1252`, `Norwegian Bokmål_Norway.1252`, `und-u-ks-level2`, `en@colNumeric=yes` */
export const locale = text('the name of a locale', 128, /^[\p{L}\p{M}\p{N} _.@=;,()'’&+-]*$/u);

/** PostgreSQL quotes whatever is no letter, digit or underscore. */
const ROLE = String.raw`(?:"(?:[^"]|"")+"(?!")|[\p{L}\p{M}\p{N}_]*)`;

/** What `pg_database.datacl` holds of one role: `"odd ""role"=CTc*` followed by `/odoo`. */
export const aclItem = text(
  'an aclitem of PostgreSQL',
  400,
  new RegExp(`^${ROLE}=(?:[a-zA-Z]\\*?)*/${ROLE}$`, 'u'),
);

/** What `ALTER DATABASE … SET` has set: `search_path="$user", public`. */
export const setting = text('a setting, as name=value', 10_000, /^[\p{L}_][\p{L}\p{N}_$.-]*=/u);

/** https://www.postgresql.org/docs/current/ddl-priv.html */
export const privilege = oneOf(
  ...(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN'] as const),
  ...(['EXECUTE', 'USAGE', 'CREATE', 'CONNECT', 'TEMPORARY', 'SET', 'ALTER SYSTEM'] as const),
);

const IDENTIFIER = String.raw`(?:[\p{L}_][\p{L}\p{N}_$]*|"(?:[^"]|"")+"(?!"))`;
const QUALIFIED = `${IDENTIFIER}(?:\\.${IDENTIFIER})*`;
/**
 * The types of a routine's arguments: words, quoted names, lengths, commas and brackets, and parentheses only around
 * lengths.
 */
const ARGUMENTS = String.raw`(?:[\p{L}\p{N}_$., [\]]|"(?:[^"]|"")+"(?!")|\([\d,]+\))*`;

/**
 * What GRANT takes behind ON: `TABLE public.spatial_ref_sys`, `ROUTINE public.st_area(public.geometry, boolean)`. Text
 * that continues after the name, such as `TO somebody`, does not match.
 */
export const grantObject = text(
  'the kind and the name of an object',
  8000,
  new RegExp(
    `^(?:(?:TABLE|SEQUENCE|TYPE|LANGUAGE|SCHEMA|FOREIGN DATA WRAPPER) ${QUALIFIED}(?:\\[\\])?|ROUTINE ${QUALIFIED}\\(${ARGUMENTS}\\))$`,
    'u',
  ),
);

/** `file`, `db`, or the scheme of another storage; behind `://`, where some modules keep a password, anything. */
export const location = text('a storage of attachments', 2000, /^[\w.+-]+(?::.*)?$/u);

/** A storage of attachments, as a backup has written its name: see attachments-elsewhere.ts. */
export const storageName = text('the name of a storage', 64, /^[\w.:? -]+$/);

/** A file from the filestore's folder: `ab/abcd…`, or what else an attachment names. */
export const fileName = text('the name of a file', 4096, /./su);

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, and the ARN of an access point. */
export const bucketName = text('the name of a bucket', 255, /^[\w.:/-]{3,}$/);

/** A member of an archive; for a bare dump, the name of the object. */
export const memberName = text('the name of a member', 4096, /./su);

/** What `ssh-keygen -Y sign` writes. */
export const signature = lines(
  'a signature of SSH',
  LONGEST_SIGNATURE,
  /^-----BEGIN SSH SIGNATURE-----\n[A-Za-z0-9+/=\n]+\n-----END SSH SIGNATURE-----\n$/,
);

export const archiveKey = text('the key of an archive', 1024, /\.(?:zip|(?:dump|sql\.gz)(?:\.age)?)$/);

/** Recipients of age: `age1…`; those for after quanta have 1,959 characters. */
export const recipients = list(text('a recipient of age', 4096, /^age1[0-9a-z]+$/), 100);

/** The content of a file of age, in base64. */
export const sealedText = text('a file of age in base64', 32 * 2 ** 20, /^[A-Za-z0-9+/]+={0,2}$/);

export const customer = text('the name of a customer', 255, /^[\w.-]+$/);

/** `dump`, `filestore`: of a phase of a run. */
export const phaseName = text('the name of a phase', 64, /^[\w.-]+$/);

export const commit = text('the hash of a commit', 64, /^[0-9a-fA-F]+$/);

/** URL of a CI's log. Some companies run their own CI without TLS, so `http` is allowed. */
export const webUrl: Decoder<string> = text(
  'an http or https URL',
  2048,
  /^https?:\/\/[\w.:[\]-]+(?:\/[\w.~:/?#@!$&()*+,;=%[\]-]*)?$/,
);

/** A user, a repository or a branch of a CI. */
export const ciName = text('a name', 1024, /./su);
