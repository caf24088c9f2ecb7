import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { getExecOutput } from '@actions/exec';
import { explaining } from '../../../host/explaining.ts';
import type { Host } from '../../../host/host.ts';
import { run } from '../../../host/run.ts';
import { majorIn } from '../../../host/tools.ts';
import { messageOf, UserError } from '../../../util/errors.ts';
import { withoutToolkitOutput } from './toolkit-output.ts';

/** An archive of PostgreSQL's programs, such as https://github.com/theseus-rs/postgresql-binaries/releases. */
export interface PostgresBinaries {
  readonly url: string;
  /** SHA-256 of the archive, in hex. */
  readonly sha256: string;
}

/** A folder with a server's programs. */
export interface ServerFolder {
  readonly folder: string;
  /** Major version: 15. */
  readonly major: number;
}

const TOOL = 'odoo-backup-postgresql';

/**
 * The programs of an archive: downloaded once, checked before anything is unpacked, and kept in the runner's tool
 * cache.
 *
 * @param host as which they will run
 * @throws UserError when the archive cannot be had, is not the one of the checksum, or holds no PostgreSQL that runs
 * here
 */
export async function fetchPrograms(host: Host, binaries: PostgresBinaries): Promise<ServerFolder> {
  setUpToolCache();
  // Loaded here: its HTTP client is larger than the rest of a verification.
  const { find } = await import('@actions/tool-cache');
  // An archive is known by its checksum. A version of the tool cache has to be a semantic version.
  const version = `0.0.0-sha256.x${binaries.sha256}`;
  const folder = await withoutToolkitOutput(
    async () => find(TOOL, version) || (await download(binaries, version)),
  );
  return locate(host, folder, binaries.url);
}

/** GitHub's runner sets both variables; elsewhere the cache is where caches are. Other accounts have to get in. */
function setUpToolCache(): void {
  const { env } = process;
  const isRoot = process.getuid?.() === 0;
  const cache = isRoot ? '/var/cache' : (env.XDG_CACHE_HOME ?? join(homedir(), '.cache'));
  env.RUNNER_TOOL_CACHE ||= join(cache, 'odoo-backup');
  env.RUNNER_TEMP ||= tmpdir();
}

async function download({ url, sha256 }: PostgresBinaries, version: string): Promise<string> {
  const { cacheDir, downloadTool } = await import('@actions/tool-cache');
  await mkdir(process.env.RUNNER_TEMP ?? tmpdir(), { recursive: true });
  const folder = await mkdtemp(join(process.env.RUNNER_TEMP ?? tmpdir(), 'odoo-backup-'));
  try {
    const archive = await downloadTool(url, join(folder, 'archive')).catch((cause: unknown) => {
      throw new UserError(
        `postgres-binaries-url: ${url} cannot be downloaded: ${messageOf(cause)}`,
        'Check the URL, and that the runner may reach it.',
        { cause },
      );
    });
    const found = await sha256Of(archive);
    if (found !== sha256) throw wrongChecksum(url, sha256, found);
    const unpacked = join(folder, 'unpacked');
    await unpack(archive, unpacked, url);
    return await cacheDir(unpacked, TOOL, version);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

function wrongChecksum(url: string, expected: string, found: string): UserError {
  return new UserError(
    `postgres-binaries-url: ${url} has the SHA-256 ${found}, not ${expected}: it was not unpacked`,
    'If you trust this archive, put its SHA-256 into the input; if its publisher gives another one, do not use it.',
  );
}

/** A jar of Zonky's is a zip with a tar in it. */
async function unpack(archive: string, folder: string, url: string): Promise<void> {
  await mkdir(folder);
  if (!/\.(zip|jar)$/i.test(URL.parse(url)?.pathname ?? '')) return extractTar(archive, folder, url);
  await extract(['unzip', '-q', archive, '-d', folder], url);
  const inner = (await readdir(folder)).find((name) => /\.t(xz|gz|ar)(\.[gx]z)?$/.test(name));
  if (inner !== undefined) await extractTar(join(folder, inner), folder, url);
}

/** tar itself sees how it is compressed. */
const extractTar = (archive: string, folder: string, url: string): Promise<void> =>
  extract(['tar', '--extract', '--no-same-owner', `--file=${archive}`, `--directory=${folder}`], url);

async function extract([program = '', ...args]: readonly string[], url: string): Promise<void> {
  const options = { silent: true, ignoreReturnCode: true };
  const { exitCode, stderr } = await getExecOutput(program, [...args], options);
  if (exitCode === 0) return;
  throw new UserError(
    `postgres-binaries-url: ${url} cannot be unpacked: ${stderr.trim()}`,
    'It takes archives of tar (.tar.gz, .tar.xz, .txz) and zip (.zip, .jar), if the runner has their programs.',
  );
}

async function locate(host: Host, root: string, url: string): Promise<ServerFolder> {
  const script = `for d in "$1"/bin "$1"/*/bin "$1"/*/*/bin "$1"/*/*/*/bin "$1"/*/*/*/*/bin; do
    [ -x "$d/postgres" ] && [ -x "$d/initdb" ] || continue
    printf '%s\\n' "$d"; exec "$d/postgres" --version
  done; echo 'there are no bin/postgres and bin/initdb in it' >&2; exit 1`;
  const printed = await run(host, { argv: ['sh', '-c', script, 'sh', root] }).catch(
    explaining(({ exit }) => [
      `postgres-binaries-url: the programs of ${url} do not run on the runner as ${host.user}: ${exit.stderr}`,
      `Take an archive for this system and processor. It was unpacked to ${root}, which that account has to be able to enter: RUNNER_TOOL_CACHE sets another place.`,
    ]),
  );
  const [folder = '', version = ''] = printed.split('\n');
  return { folder, major: majorIn(version) ?? 0 };
}
