import { randomBytes } from 'node:crypto';
import type { TableOfContents } from './contents.ts';
import { damaged } from './cursor.ts';
import type { DumpHead } from './head.ts';
import { programMajor } from './parts.ts';

/** What a dump says of the session that it is for. */
export interface DumpSession {
  /** `UTF8` */
  readonly encoding: string;
  readonly conformingStrings: boolean;
  /** The statement that sets the search path. */
  readonly searchPath: string | undefined;
  /** Key of `\restrict`, from the versions of psql on that know it. */
  readonly key: string | undefined;
}

const ENCODING = new RegExp(
  `^SET client_encoding = '(${[
    'SQL_ASCII|EUC_(?:JP|CN|KR|TW|JIS_2004)|UTF8|MULE_INTERNAL|LATIN(?:[1-9]|10)|WIN(?:125[0-8]|866|874)',
    'KOI8[RU]|ISO_8859_[5-8]|SJIS|BIG5|GBK|UHC|GB18030|JOHAB|SHIFT_JIS_2004',
  ].join('|')})';\n$`,
);

/** @throws ContentError for an unknown encoding */
export function sessionOf(name: string, contents: TableOfContents): DumpSession {
  let [encoding, conformingStrings]: [string, boolean] = ['SQL_ASCII', false];
  let searchPath: string | undefined;
  for (const { kind, definition = '' } of contents.entries()) {
    if (kind === 'ENCODING') {
      const found = ENCODING.exec(definition)?.[1];
      if (found === undefined) throw damaged(name, 'it is in an unknown encoding');
      encoding = found;
    } else if (kind === 'STDSTRINGS') {
      const found = /^[^']*'(on|off)'/.exec(definition)?.[1];
      if (found === undefined) throw damaged(name, 'it does not say what its strings are');
      conformingStrings = found === 'on';
    } else if (kind === 'SEARCHPATH') searchPath = definition;
  }
  return {
    encoding,
    conformingStrings,
    searchPath,
    key: isRestricted(contents.head) ? randomKey() : undefined,
  };
}

/** First minor versions that know `\restrict`, of the major ones that did not begin with it. */
const RESTRICTED: Readonly<Record<number, number>> = { 13: 22, 14: 19, 15: 14, 16: 10, 17: 6 };

function isRestricted({ program = '' }: DumpHead): boolean {
  const [, major, minor] = /^(\d+)(?:\.(\d+))?/.exec(program) ?? [];
  return Number(major) >= 18 || Number(minor) >= (RESTRICTED[Number(major)] ?? Infinity);
}

/** Hexadecimal digits, as many characters as pg_restore takes. */
const randomKey = (): string => randomBytes(32).toString('hex').slice(1);

/** What the SQL begins with: `RestoreArchive` and `_doSetFixedOutputState` of pg_backup_archiver.c. */
export function beginning(session: DumpSession, head: DumpHead): string {
  const { encoding, conformingStrings, searchPath = '', key } = session;
  const setting = (name: string, value: string) => `SET ${name} = ${value};\n`;
  return [
    '--\n-- PostgreSQL database dump\n--\n\n',
    key === undefined ? '' : `\\restrict ${key}\n\n`,
    head.server === undefined ? '' : `-- Dumped from database version ${head.server}\n`,
    head.program === undefined ? '' : `-- Dumped by pg_dump version ${head.program}\n`,
    '\n',
    setting('statement_timeout', '0'),
    setting('lock_timeout', '0'),
    setting('idle_in_transaction_session_timeout', '0'),
    programMajor(head) >= 17 ? setting('transaction_timeout', '0') : '',
    setting('client_encoding', `'${encoding}'`),
    setting('standard_conforming_strings', conformingStrings ? 'on' : 'off'),
    searchPath,
    setting('check_function_bodies', 'false'),
    setting('xmloption', 'content'),
    setting('client_min_messages', 'warning'),
    conformingStrings ? '' : setting('escape_string_warning', 'off'),
    setting('row_security', 'off'),
    '\n',
  ].join('');
}

export const ending = ({ key }: DumpSession): string =>
  `--\n-- PostgreSQL database dump complete\n--\n\n${key === undefined ? '' : `\\unrestrict ${key}\n\n`}`;
