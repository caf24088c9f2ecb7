import { pipeline, Readable, type Transform } from 'node:stream';
import { constants, createGunzip, createGzip, createZstdCompress, createZstdDecompress } from 'node:zlib';
import type { Command } from './host.ts';
import type { HostTools } from './tools.ts';

/** How bytes on their way from the host are compressed. */
export interface OutboundCodec {
  readonly program: string;
  /** What the host runs, in sh. */
  readonly command: string;
  readonly decoder: () => Transform;
}

/** Node's own 128 KiB costs time, a megabyte costs memory: buffers that wait for the garbage collector. */
const CHUNK_BYTES = 256 * 1024;

const ZSTD: OutboundCodec = {
  program: 'zstd',
  command: 'zstd -1 -q -c',
  decoder: () => createZstdDecompress({ chunkSize: CHUNK_BYTES }),
};
const decoder = () => createGunzip({ chunkSize: CHUNK_BYTES });
const PIGZ: OutboundCodec = { program: 'pigz', command: 'pigz -1 -c', decoder };
const GZIP: OutboundCodec = { program: 'gzip', command: 'gzip -1 -c', decoder };

/** The codec for dumps, which shrink to a quarter: the fastest that the host has; undefined where it has none. */
export const dumpCodec = (tools: HostTools): OutboundCodec | undefined =>
  [ZSTD, PIGZ, GZIP].find(({ program }) => tools.programs.has(program));

/** The codec for filestores, most of which is compressed already: zstd passes over that at speed, gzip does not. */
export const filestoreCodec = (tools: HostTools): OutboundCodec | undefined =>
  tools.programs.has('zstd') ? ZSTD : undefined;

/** Exit code used when the compressor fails: no program here exits with it. */
const COMPRESSOR_FAILED = 99;

/**
 * `command | compressor`. The exit code is the command's, or 99 when the compressor failed: a pipe in POSIX sh tells
 * only that of its last program.
 */
export function compressedBy(command: Command, codec: OutboundCodec | undefined): Command {
  if (!codec) return command;
  const script = `exec 4>&1
    codes=$({ { "$@" 3>&- 4>&-; echo $? >&3; } | ${codec.command} 3>&- >&4 4>&- || echo ${COMPRESSOR_FAILED} >&3; } 3>&1)
    for code in $codes; do [ "$code" = 0 ] || exit "$code"; done
    [ -n "$codes" ]`;
  return { ...command, argv: ['sh', '-c', script, 'sh', ...command.argv] };
}

/** The output of such a command as it was before. Who reads it sees the errors of both. */
export function decompressed(stream: Readable, codec: OutboundCodec | undefined): Readable {
  if (!codec) return stream;
  const decoder = codec.decoder();
  decoder.on('error', () => {}); // nobody may be reading when it fails
  return pipeline(stream, together, decoder, () => {});
}

/** What waits in the stream comes as one chunk: one job for the decoder's thread instead of one for each SSH packet. */
async function* together(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* stream;
}

/** How bytes on their way to the host are compressed. */
interface InwardCodec {
  readonly encoder: () => Transform;
  readonly decode: readonly string[];
}

/** The codec for dumps, which shrink to a quarter; undefined where the host has neither zstd nor gzip. */
export function inwardCodec(tools: HostTools): InwardCodec | undefined {
  if (tools.programs.has('zstd')) {
    const params = { [constants.ZSTD_c_compressionLevel]: 1 };
    return { encoder: () => createZstdCompress({ params }), decode: ['zstd', '-dcq'] };
  }
  if (tools.programs.has('gzip'))
    return { encoder: () => createGzip({ level: 1 }), decode: ['gzip', '-dcq'] };
  return undefined;
}

/** The bytes as they travel. Fails when the source does. */
export function packed(source: AsyncIterable<Buffer>, codec: InwardCodec | undefined): AsyncIterable<Buffer> {
  if (!codec) return source;
  return pipeline(Readable.from(source, { objectMode: false }), codec.encoder(), () => {}); // who reads it sees its error
}

/**
 * `decoder | command`, with the first exit code that is not 0, or the signal of that program: a pipe in POSIX sh tells
 * only its last one, and of a signal no more than a number. What a command that ends well has not read is read and thrown
 * away: so the source always comes to its end, where its sums are compared; and the decoder would fail otherwise.
 */
export function decoding(command: Command, codec: InwardCodec | undefined): Command {
  const decoder = codec ? `{ ${codec.decode.join(' ')} 3>&-; echo $? >&3; } | ` : '';
  const script = `codes=$({ ${decoder}{ "$@" >/dev/null 3>&- && cat >/dev/null 3>&-; echo $? >&3; }; } 3>&1)
    for code in $codes; do
      [ "$code" -le 128 ] || kill -$((code - 128)) $$
      [ "$code" = 0 ] || exit "$code"
    done`;
  return { ...command, argv: ['sh', '-c', script, 'sh', ...command.argv] };
}
