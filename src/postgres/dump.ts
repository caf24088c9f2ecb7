import { addAbortSignal, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { compressedBy, decompressed, type OutboundCodec } from '../host/codecs.ts';
import { type Command, CommandError, type Exit, type Process } from '../host/host.ts';
import { type TarEntry, tarEntries } from '../host/tar.ts';
import { makeFolderIn, REMOVE_AT_END } from '../host/temp-folder.ts';
import { UserError } from '../util/errors.ts';
import { dumpFailure } from './dump-errors.ts';
import { LOCK_WAIT_SECONDS } from './psql.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Begins a dump that `streamDump` will be asked for: pg_dump reads the catalog meanwhile, which takes longer than all that
 * a backup asks before. What nobody asks for ends with the snapshot.
 */
export function beginDump(
  snapshot: Snapshot,
  options: readonly string[],
  codec: OutboundCodec | undefined,
): void {
  const command = compressedBy(dumpCommand(snapshot, options), codec);
  const process = snapshot.postgres.host.start(command);
  process.catch(() => {}); // told to who asks for it
  snapshot.begun.set(keyOf(command), process);
}

const keyOf = ({ argv }: Command): string => JSON.stringify(argv);

/**
 * Runs pg_dump on the host and returns its output. The stream ends only after pg_dump has ended with exit code
 * 0, and fails otherwise: a dump that died never looks like one that is complete.
 *
 * @param options `--format=…` and the like
 * @param codec compresses the output on its way; undefined for what is compressed already
 */
export async function streamDump(
  snapshot: Snapshot,
  options: readonly string[],
  codec: OutboundCodec | undefined,
): Promise<Readable> {
  const dump = dumpCommand(snapshot, options);
  const command = compressedBy(dump, codec);
  const key = keyOf(command);
  const begun = snapshot.begun.get(key);
  snapshot.begun.delete(key);
  const process = await (begun ?? snapshot.postgres.host.start(command));
  const output = Readable.from(outputOf(snapshot, process, dump, codec), { objectMode: false });
  output.on('close', () => void process[Symbol.asyncDispose]());
  return output;
}

async function* outputOf(
  snapshot: Snapshot,
  process: Process,
  dump: Command,
  codec: OutboundCodec | undefined,
): AsyncGenerator<Buffer> {
  try {
    yield* decompressed(process.stdout, codec);
  } catch (error) {
    // A decoder that misses the end of its input knows less than the exit code of what should have written it.
    const exit = await Promise.race([process.exited, sleep(2_000, undefined, { ref: false })]);
    if (exit) await assertDumped(snapshot, dump, exit, error);
    throw error;
  }
  await assertDumped(snapshot, dump, await process.exited);
}

async function assertDumped(snapshot: Snapshot, dump: Command, exit: Exit, cause?: unknown): Promise<void> {
  if (exit.code === 0) return;
  const error = new CommandError(dump, exit);
  throw await dumpFailure(snapshot, error, cause ?? error);
}

function dumpCommand(snapshot: Snapshot, options: readonly string[]): Command {
  const lockWait = `--lock-wait-timeout=${LOCK_WAIT_SECONDS}s`;
  // The role may be set to another encoding, which need not have all characters of the database.
  const encoding = `--encoding=${snapshot.encoding}`;
  const args = [...options, `--snapshot=${snapshot.id}`, encoding, lockWait, '--no-password'];
  return { ...snapshot.postgres.command('pg_dump', args, snapshot.database), guarded: true };
}

/** Exit code of the script below when the disk has too little space: EX_TEMPFAIL of sysexits.h. */
const NO_SPACE = 75;

export interface DirectoryDumpOptions {
  readonly jobs: number;
  /** Options of pg_dump, such as `--compress=…`. */
  readonly options: readonly string[];
  /** Free space asked for before anything is written. */
  readonly neededBytes: number;
  /** Ends it, also while the host sends nothing. */
  readonly signal?: AbortSignal;
}

/**
 * Runs `pg_dump --format=directory --jobs` into a temporary folder on the host, and returns the folder's files,
 * named `dump/…`, as a tar stream. The folder is removed in every case, by the shell that made it.
 *
 * @throws UserError when there is less space than needed
 */
export async function* directoryDump(
  snapshot: Snapshot,
  { jobs, options, neededBytes, signal }: DirectoryDumpOptions,
): AsyncGenerator<TarEntry> {
  const dump = dumpCommand(snapshot, ['--format=directory', `--jobs=${jobs}`, ...options]);
  const script = `needed=$1; shift
    ${REMOVE_AT_END}
    folder=${makeFolderIn(`\${TMPDIR:-/tmp}`)} || exit
    free=$(df -Pk -- "$folder" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$needed" ] || { echo "\${folder%/*} $free" >&2; exit ${NO_SPACE}; }
    "$@" --file="$folder/dump" || exit
    tar --create --file=- --format=gnu --directory="$folder" dump || exit`;
  const neededKib = Math.ceil(neededBytes / 1024);
  const argv = ['sh', '-c', script, 'sh', String(neededKib), ...dump.argv];
  await using process = await snapshot.postgres.host.start({ ...dump, argv });
  if (signal) addAbortSignal(signal, process.stdout);
  let read: unknown;
  try {
    yield* tarEntries(process.stdout);
  } catch (error) {
    read = error;
  }
  signal?.throwIfAborted(); // the dump itself may take long to end
  const exit = await process.exited;
  if (exit.code === NO_SPACE) throw noSpace(exit.stderr, neededKib);
  await assertDumped(snapshot, dump, exit, read);
  if (read !== undefined) throw read;
}

function noSpace(report: string, neededKib: number): UserError {
  const [folder, freeKib] = report.trim().split(' ').slice(-2);
  const gib = (kib: number): string => `${(kib / 1024 ** 2).toFixed(1)} GiB`;
  return new UserError(
    `Too little space on the host for format directory: ${folder} has ${gib(Number(freeKib))} free, the dump may need ${gib(neededKib)}`,
    'Free space there, or use format dual, which needs none on the host.',
  );
}
