import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { dumpCodec } from '../host/codecs.ts';
import { streamDump } from '../postgres/dump.ts';
import { seal } from '../sealing/stream.ts';
import { type ArchiveOptions, deflateLevel, pgDumpCompression, type Source } from './source.ts';

/** A database alone needs no zip: `custom` is a bare `.dump` then, `plain` a bare `.sql.gz`. */
export const isBare = (
  format: ArchiveOptions['format'],
  withFilestore: boolean,
): format is 'custom' | 'plain' => format === 'plain' || (format === 'custom' && !withFilestore);

/** The dump as it is stored. Fails when pg_dump does. */
export async function streamBareDump(source: Source, target: ArchiveOptions): Promise<Readable> {
  const dump = await streamPacked(source, target);
  const { recipients } = target;
  return recipients ? Readable.from(seal(dump, recipients), { objectMode: false }) : dump;
}

async function streamPacked({ odoo, snapshot }: Source, target: ArchiveOptions): Promise<Readable> {
  if (target.format === 'custom') {
    const compression = pgDumpCompression(target.compression, snapshot.postgres.client.major);
    return streamDump(snapshot, ['--format=custom', compression], undefined);
  }
  const sql = await streamDump(snapshot, ['--format=plain', '--no-owner'], dumpCodec(odoo.tools));
  return pipeline(sql, createGzip({ level: deflateLevel(target) }), () => {}); // who reads it sees its error
}
