import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import type { Receipt } from '../../src/catalog/receipt.ts';
import { SHORTEST_PART } from '../../src/s3/part-plan.ts';
import { type Growth, grow } from '../../test/support/growth.ts';
import { psql } from '../../test/support/postgres.ts';
import { run } from '../../test/support/processes.ts';
import { getObject, s3Client } from '../../test/support/s3.ts';
import { counted, theirs } from './backup.ts';
import type { Data } from './data.ts';
import { loopback } from './link.ts';
import { type BenchPart, cleanUp, inTurn, Runs } from './part.ts';
import { roundTripsOf, TELL_QUESTIONS } from './questions.ts';
import type { Measure } from './record.ts';
import { type Place, runProgram, runScript, scriptEnvironment } from './running.ts';
import { dumpScript, resticScript } from './scripts.ts';

const MiB = 2 ** 20;

/**
 * The next backup by everybody, each after the same first one and the same change. The databases are of one size, the
 * filestores are not.
 */
export const again: BenchPart = {
  get sizes() {
    return growing;
  },
  overLongLine: (size) => size === SMALL || size === OVER_LONG_LINE,
  async measure(place, session) {
    const runs = new Runs(session);
    for (let round = 0; round < session.rounds; round += 1) {
      const prepared = await prepareAgain(place, session.program);
      try {
        for (const [name, contender] of inTurn(contenders, round)) {
          await runs.take(name, () => counted(place, () => contender(prepared)));
          await run(['sync']);
        }
      } finally {
        await endAgain(prepared);
        await cleanUp(place);
      }
    }
    return runs;
  },
};

/** The fixture as it is, for which a backup is mostly waiting for answers. */
const SMALL = 'small';

/** That, and databases of one size, whose filestores are not. */
const growing = {
  [SMALL]: {},
  '0.1 GB': growthOf(50),
  '1 GB': growthOf(500),
  '4 GB': growthOf(2000),
} as const satisfies Record<string, Growth>;

/** The size that is looked at over the long line too: what grows is copied by S3, on no line at all. */
const OVER_LONG_LINE = '1 GB';

function growthOf(count: number): Growth {
  return { partners: 250_000, attachments: [{ count, size: 2 * MiB, kind: 'photo' }] };
}

/** Between one backup and the next, whatever the filestore's size. */
const change: Growth = { partners: 500, attachments: [{ count: 10, size: MiB, kind: 'photo' }] };
/** The same where the filestore is too small for S3 to copy it, and stays so. */
const smallChange: Growth = { partners: 10, attachments: [{ count: 2, size: 20 * 1024, kind: 'photo' }] };

/** Whether the filestore is shorter than what S3 copies. */
const isSmall = ({ filestoreBytes }: Data): boolean => filestoreBytes < SHORTEST_PART;

interface AgainPlace extends Place {
  readonly program: string;
  /** Where scripts run, and their variables. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Makes the first backups, over no line, and then the change. */
async function prepareAgain(place: Place, program: string): Promise<AgainPlace> {
  const { sandbox, data, bucket } = place;
  const { postgres, s3, folder: root } = sandbox;
  const folder = join(root, 'again');
  await mkdir(folder);
  const { port } = new URL(s3.endpoint);
  const restic = {
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    RESTIC_PASSWORD: 'bench',
    RESTIC_REPOSITORY: `s3:${s3.endpoint}/${bucket}/restic`,
    RESTIC_CACHE_DIR: join(data.odoo.dataDir, 'restic'),
  };
  const exports = Object.entries(restic).map(([name, value]) => `${name}=${value}`);
  const environment = async (over: Place) => ({
    ...(await scriptEnvironment(over, folder)),
    PG: `-h ${postgres.socket} -p ${postgres.port} -U odoo`,
    DATABASE: data.odoo.database,
    FILESTORE: data.odoo.filestore,
    RESTIC: `export ${exports.join(' ')}`,
    FORWARD: over.link.host === sandbox.ssh.host ? '' : `-R 127.0.0.1:${port}:127.0.0.1:${port}`,
  });
  const init = 'ssh -F ssh_config $FORWARD odoo "$RESTIC; restic init -q"';
  const near = { ...place, link: loopback(sandbox) };
  await runScript(place, { init, ...resticScript }, folder, await environment(near));
  for (const format of ['dual', 'custom']) await runProgram(near, program, 'backup', { format });
  await grow(sandbox, data.odoo, isSmall(data) ? smallChange : change);
  await run(['sync']);
  return { ...place, program, folder, env: await environment(place) };
}

const contenders: Readonly<Record<string, (place: AgainPlace) => Promise<Measure>>> = {
  ours: (place) => ours(place, 'true'),
  'ours, format: custom': (place) => ours(place, 'true', 'custom'),
  'ours, incremental: false': (place) => ours(place, 'false'),
  restic: async (place) => {
    const before = await storedBytes(place);
    const { done, requests } = await asked(place, () => script(place, resticScript));
    return { ...done, sentBytes: (await storedBytes(place)) - before, requests };
  },
  script: async (place) => {
    const { done, requests } = await asked(place, () => theirs(place));
    const { seconds, parties, archiveBytes } = done;
    return { seconds, parties, sentBytes: archiveBytes, requests };
  },
  'pg_dump | zstd -1 alone': (place) => script(place, dumpScript),
};

/** A script whose steps nobody asks for. */
async function script(place: AgainPlace, steps: Readonly<Record<string, string>>): Promise<Measure> {
  const { seconds, parties } = await runScript(place, steps, place.folder, place.env);
  return { seconds, parties };
}

/** Its archive goes again: the next one builds upon the same. */
async function ours(place: AgainPlace, incremental: string, format = 'dual'): Promise<Measure> {
  const readBefore = await rowsRead(place);
  const { done, requests } = await asked(place, () =>
    runProgram({ ...place, variables: TELL_QUESTIONS }, place.program, 'backup', { incremental, format }),
  );
  const reads = (await rowsRead(place)) - readBefore;
  const { outputs, log, cost } = done;
  const client = s3Client(place.sandbox.s3);
  const object = await getObject(client, place.bucket, outputs.receipt ?? '');
  const { bytesSent, upload } = JSON.parse(String(Buffer.from(object))) as Receipt;
  const isCopied = upload.copied !== undefined;
  if (isCopied !== (incremental === 'true' && !isSmall(place.data))) {
    throw new Error('It was not what was asked for');
  }
  for (const Key of [outputs.receipt, outputs.key]) {
    await client.send(new DeleteObjectCommand({ Bucket: place.bucket, Key }));
  }
  return { ...cost, sentBytes: bytesSent, requests, roundTrips: roundTripsOf(log), reads };
}

/** How often the rows of the largest table were read one after the other so far, which is what a dump does. */
async function rowsRead({ sandbox, data }: Place): Promise<number> {
  const sql = `SELECT seq_tup_read / reltuples
    FROM pg_stat_user_tables JOIN pg_class ON pg_class.oid = relid WHERE pg_class.relname = 'res_partner'`;
  return Number(await psql(sandbox.postgres, data.odoo.database, sql));
}

/** Counts what S3 was asked meanwhile, by the log of its gateway. */
async function asked<T>({ sandbox }: Place, work: () => Promise<T>): Promise<{ done: T; requests: number }> {
  const log = sandbox.s3.gatewayLog;
  if (log === undefined) throw new Error('Requests are counted in the log of the sandbox’s own S3 server');
  const { size } = await stat(log);
  const done = await work();
  for (let before = -1, now = size; before !== now; ) {
    await sleep(500); // it is written behind the answers
    [before, now] = [now, (await stat(log)).size];
  }
  const written = await readFile(log);
  const requests =
    String(written.subarray(size)).match(/ beast: .* "(GET|HEAD|PUT|POST|DELETE) /g)?.length ?? 0;
  return { done, requests };
}

/** By all of restic's objects. */
async function storedBytes({ sandbox, bucket }: Place): Promise<number> {
  const pages = paginateListObjectsV2(
    { client: s3Client(sandbox.s3) },
    { Bucket: bucket, Prefix: 'restic/' },
  );
  let bytes = 0;
  for await (const { Contents } of pages) bytes += sum((Contents ?? []).map(({ Size }) => Size ?? 0));
  return bytes;
}

async function endAgain({ folder, data }: AgainPlace): Promise<void> {
  const cache = join(data.odoo.dataDir, 'restic');
  for (const path of [folder, cache]) await rm(path, { recursive: true, force: true });
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
