import type { Readable } from 'node:stream';
import { feed, feedThrough } from '../host/feed.ts';
import { CommandError } from '../host/host.ts';
import { receiveFiles } from '../host/receive-files.ts';
import { recordsOf } from '../host/records.ts';
import { run } from '../host/run.ts';
import { TempFolder } from '../host/temp-folder.ts';
import { decoded, type TableOfContents } from '../postgres/custom-format/contents.ts';
import type { TocEntry } from '../postgres/custom-format/entries.ts';
import { loadFailure } from '../postgres/load-errors.ts';
import type { Postgres } from '../postgres/server.ts';
import { type DumpedObject, isSuperusers, sometimesSuperusers } from '../postgres/superuser-objects.ts';
import { listOf } from '../postgres/toc-filter.ts';
import { none, only } from '../util/iterables.ts';
import type { DumpSource } from './dump.ts';
import { contentsOf } from './dump-contents.ts';

/** What a dump says of itself before its rows. */
export interface DumpToc {
  /** As `pg_restore --list` prints it. */
  readonly list: string;
  /** Lines of it whose object only a superuser may make, as its definition says. */
  readonly superusers: ReadonlySet<string>;
  /** Lines of partitioned tables, which have no rows of their own. Absent: its format is not known here. */
  readonly partitioned?: ReadonlySet<string>;
  /** Bytes of it in the dump. Absent: its format is not known here, and pg_restore has listed it. */
  readonly size?: number;
}

/** Characters of a definition that are looked at. */
const LONGEST_DEFINITION = 64 * 1024;

/**
 * Reads the table of contents of a dump, which is at its start. Read only.
 *
 * @param loader with a pg_restore that reads the dump: that is asked where the dump is not known here. For one in
 * directory format it wants a file on the host's disk for that moment.
 * @returns undefined for plain SQL, which has none, or where the host has no place for that file
 * @throws UserError when the dump cannot be read
 */
export async function readToc(dump: DumpSource, loader: Postgres): Promise<DumpToc | undefined> {
  const contents = await contentsOf(dump, loader.client.major);
  return contents ? tocOf(contents) : listedToc(dump, loader);
}

function tocOf(contents: TableOfContents): DumpToc {
  const lines: string[] = [];
  const superusers = new Set<string>();
  const partitioned = new Set<string>();
  for (const { line, entry } of contents.lines()) {
    lines.push(line);
    if (entry.kind === 'TABLE' && isPartitioned(entry)) partitioned.add(line);
    const definition = (entry.definition ?? '').slice(0, LONGEST_DEFINITION);
    if (sometimesSuperusers(line) && isMadeBySuperusers(decoded(definition))) superusers.add(line);
  }
  return { list: listOf(lines), superusers, partitioned, size: contents.size };
}

const isPartitioned = ({ isPartitioned, definition = '' }: TocEntry): boolean =>
  isPartitioned || /\)\nPARTITION BY /.test(definition);

const isMadeBySuperusers = (definition: string): boolean =>
  isSuperusers(definition.replace(/^(?:--.*\n|\s)+/, ''));

async function listedToc(dump: DumpSource, loader: Postgres): Promise<DumpToc | undefined> {
  try {
    switch (dump.kind) {
      case 'plain':
        return undefined;
      case 'custom': {
        const list = await feed(loader.host, loader.reading(['--list']), dump.open());
        return await withDefinitions(list, (read) =>
          feedThrough(
            { host: loader.host, command: loader.reading(['--schema-only', '--file=-']) },
            dump.open(),
            read,
          ),
        );
      }
      case 'directory': {
        const toc = dump.files.find(({ name }) => name === 'toc.dat');
        const { host, account: as } = loader;
        const place = toc && (await TempFolder.make(host, as, Math.max(toc.size, 1024 ** 2)));
        if (!place) return undefined;
        await using folder = place;
        const path = `${folder.path}/toc`;
        await run(host, { argv: ['mkdir', '--', path], as });
        const file = { name: toc.name, size: toc.size, content: toc.open() };
        await receiveFiles({ host, path, command: (argv) => ({ argv, as }) }, only(file), undefined);
        const list = await run(host, loader.reading(['--list', path]));
        return await withDefinitions(list, (read) =>
          feedThrough({ host, command: loader.reading(['--schema-only', '--file=-', path]) }, none(), read),
        );
      }
    }
  } catch (error) {
    throw error instanceof CommandError ? loadFailure(error, 'a database') : error;
  }
}

type Read = (stdout: Readable) => Promise<readonly DumpedObject[]>;

/** Definitions are read only where one of them decides. */
async function withDefinitions(
  list: string,
  definitions: (read: Read) => Promise<readonly DumpedObject[]>,
): Promise<DumpToc> {
  const lines = list.split('\n');
  const undecided = lines.flatMap((line) => {
    const object = sometimesSuperusers(line);
    return object ? [{ line, ...object }] : [];
  });
  if (undecided.length === 0) return { list, superusers: new Set() };
  const found = await definitions(readDefinitions);
  const superusers = undecided.filter(({ kind, schema, name }) =>
    found.some((each) => each.kind === kind && each.schema === schema && each.name === name),
  );
  return { list, superusers: new Set(superusers.map(({ line }) => line)) };
}

/** `-- Name: cf(); Type: FUNCTION; Schema: public; Owner: admin` */
const HEADER = /^-- Name: (.*); Type: ([A-Z ]+); Schema: (.*); Owner: .*$/;

/** Reads which objects of a schema, as pg_restore prints it, only a superuser may make. */
async function readDefinitions(stdout: Readable): Promise<readonly DumpedObject[]> {
  const found: DumpedObject[] = [];
  let current: DumpedObject | undefined;
  let text = '';
  const end = () => {
    if (current && isMadeBySuperusers(text)) found.push(current);
    [current, text] = [undefined, ''];
  };
  for await (const line of recordsOf(stdout, '\n', 'pg_restore')) {
    const [, name, kind, schema] = HEADER.exec(line) ?? [];
    if (name !== undefined && kind !== undefined && schema !== undefined) {
      end();
      if (/^(?:FUNCTION|PROCEDURE|TYPE|PUBLICATION)$/.test(kind)) current = { kind, schema, name };
    } else if (current && text.length < LONGEST_DEFINITION) text += `${line}\n`;
  }
  end();
  return found;
}
