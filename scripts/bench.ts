// Compares the program with the script that people write today, and with restic, on the same data:
//   npm run bench -- [--what backup|again|databases|rollback|many|verify|sealed]… [--size NAME]… [--link loopback|wan]…
//     [--rounds N] [--record] [--program FILE]
// What is left out means all of them. `--record` puts the results into docs/benchmarks.json, from which `npm run docs`
// writes the page of benchmarks, case by case as they end. `--program` measures another build than one of the source as
// it is.
import { cpus, tmpdir, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatBytes } from '../src/util/format.ts';
import { run } from '../test/support/processes.ts';
import { createBucket, s3Client } from '../test/support/s3.ts';
import { type Sandbox, startSandbox } from '../test/support/sandbox.ts';
import { again } from './bench/again.ts';
import { backup } from './bench/backup.ts';
import { prepare } from './bench/data.ts';
import { databases } from './bench/databases.ts';
import { loopback, wan, wanObstacle } from './bench/link.ts';
import { many } from './bench/many.ts';
import type { BenchPart } from './bench/part.ts';
import { Accounts, PARTIES } from './bench/parties.ts';
import {
  type Case,
  type Measure,
  type Part,
  parts,
  readRecorded,
  withCases,
  writeRecorded,
} from './bench/record.ts';
import { rollback } from './bench/rollback.ts';
import { sealed } from './bench/sealed.ts';
import { verify } from './bench/verify.ts';

// The sandbox lies on a disk, as what users have does, and not in memory as for tests.
process.env.TMPDIR ??= tmpdir();

const benches: Readonly<Record<Part, BenchPart>> = {
  backup,
  again,
  databases,
  rollback,
  many,
  verify,
  sealed,
};
const links = { loopback, wan } as const;

const { values: options } = parseArgs({
  options: {
    what: { type: 'string', multiple: true, default: [...parts] },
    size: { type: 'string', multiple: true },
    link: { type: 'string', multiple: true, default: Object.keys(links) },
    rounds: { type: 'string', default: '3' },
    record: { type: 'boolean', default: false },
    program: { type: 'string' },
  },
});
const chosenParts = chosen(options.what, benches);
const chosenLinks = chosen(options.link, links);
const allSizes = Object.assign({}, ...chosenParts.map((part) => benches[part].sizes));
const chosenSizes = chosen(options.size ?? Object.keys(allSizes), allSizes);

const accounts = Accounts.open();
if (!accounts) console.error('Who uses the processors is not measured: that needs root, and control groups');
// restic leaves Content-Type unsigned, which Ceph has refused since CVE-2026-54330.
await using sandbox = await startSandbox({ gateway: 'rgw sigv4 insecure = true' });
const program = options.program ?? (await bundle());
const bucket = await createBucket(s3Client(sandbox.s3));
const machine = await machineText();
for (const part of chosenParts) {
  for (const size of Object.keys(benches[part].sizes)) {
    if (chosenSizes.includes(size)) await runCases(sandbox, part, size);
  }
}

/** One size of a part, over each line. */
async function runCases(box: Sandbox, part: Part, size: string): Promise<void> {
  const bench = benches[part];
  console.error(`${part}, ${size}: making the data`);
  const data = await prepare(box, `${part} ${size}`, bench.sizes[size] ?? {});
  for (const name of chosenLinks) {
    if (name === 'wan' && !bench.overLongLine(size)) continue;
    const obstacle = name === 'wan' ? await wanObstacle() : undefined;
    if (obstacle) {
      console.error(`${part}, ${size}, ${name}: skipped: ${obstacle}`);
      continue;
    }
    await using link = await links[name](box);
    const say = (contender: string, measure: Measure) =>
      console.error(`${part}, ${size}, ${link.title}: ${contender} ${measureText(measure)}`);
    const session = { program, rounds: Number(options.rounds), say };
    const { runs, serviceSeconds } = await bench.measure(
      { sandbox: box, data, link, bucket, accounts },
      session,
    );
    const { databaseBytes, filestoreBytes, files } = data;
    const sizes = { databaseBytes, filestoreBytes, files };
    const found: Case = { part, size, link: link.title, data: sizes, serviceSeconds, runs };
    if (options.record) writeRecorded(withCases(readRecorded(), [found], machine));
  }
  await data.odoo[Symbol.asyncDispose]();
}

/** @throws Error for a name that is not in the table */
function chosen<T extends object>(names: readonly string[], table: T): (keyof T)[] {
  const unknown = names.find((name) => !(name in table));
  if (unknown) throw new Error(`There is no ${unknown}, only ${Object.keys(table).join(', ')}`);
  return names as (keyof T)[];
}

function measureText({ seconds, peakBytes, processor, parties, steps, roundTrips, reads }: Measure): string {
  const of = Object.entries(steps ?? {}).map(([step, each]) => `${step} ${each.toFixed(1)}`);
  return [
    `${seconds.toFixed(1)} s`,
    ...(peakBytes === undefined ? [] : [`${(peakBytes / 1e6).toFixed(0)} MB`]),
    ...(processor === undefined
      ? []
      : [
          `processor ${processor.all.toFixed(1)} of ${processor.machine.toFixed(1)} s, main thread ${processor.main.toFixed(1)} s, garbage ${processor.collecting.toFixed(2)} s`,
        ]),
    ...(parties === undefined
      ? []
      : [PARTIES.map((party) => `${party} ${parties[party].toFixed(1)}`).join(', ')]),
    ...(reads === undefined ? [] : [`${reads.toFixed(2)} reads`]),
    ...(roundTrips === undefined ? [] : [`${roundTrips.host} and ${roundTrips.s3} in turn`]),
    ...(of.length === 0 ? [] : [`(${of.join(', ')})`]),
  ].join(', ');
}

/** What everything ran on. */
async function machineText(): Promise<string> {
  const cores = cpus();
  const versions = await Promise.all([
    ...['ssh -V 2>&1', 'pg_dump --version', 'zip -v | sed -n 2p'].map(firstLine),
    firstLine('aws --version >/dev/null && aws --version 2>&1 | cut -d" " -f1'),
    firstLine('restic version | cut -d" " -f1,2'),
    firstLine('echo "TCP $(cat /proc/sys/net/ipv4/tcp_congestion_control)"'),
  ]);
  const hardware = `${cores.length} × ${cores[0]?.model ?? 'unknown'}, ${formatBytes(totalmem())} of memory`;
  return `Host, runner and S3 server on one machine: ${hardware}. ${versions.join(', ')}`;
}

/** What users run is the bundle: makes it of the source as it is. */
async function bundle(): Promise<string> {
  await run([process.execPath, fileURLToPath(new URL('bundle.ts', import.meta.url))]);
  return fileURLToPath(new URL('../dist/main.js', import.meta.url));
}

async function firstLine(command: string): Promise<string> {
  return (await run(['sh', '-c', command])).split('\n')[0]?.split(',')[0]?.trim() ?? '';
}
