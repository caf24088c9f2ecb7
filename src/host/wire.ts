import { pipeline, Readable, type Transform } from 'node:stream';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import type { Command } from './host.ts';
import type { HostTools } from './tools.ts';

/** How bytes on their way to the host are compressed. */
interface InwardCodec {
  readonly encoder: () => Transform;
  readonly decode: readonly string[];
}

/** For dumps, which shrink to a quarter; undefined where the host has neither zstd nor gzip. */
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

/** `decoder | command`, with the first exit code that is not 0: a pipe in POSIX sh tells only its last one. */
export function decoding(command: Command, codec: InwardCodec | undefined): Command {
  if (!codec) return command;
  const script = `codes=$({ { ${codec.decode.join(' ')} 3>&-; echo $? >&3; } |
      { "$@" >/dev/null 3>&-; echo $? >&3; }; } 3>&1)
    for code in $codes; do [ "$code" = 0 ] || exit "$code"; done`;
  return { ...command, argv: ['sh', '-c', script, 'sh', ...command.argv] };
}
