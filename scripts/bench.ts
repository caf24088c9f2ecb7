// Compares the program with the script that people write today, on the same data:
//   npm run bench -- [--what backup|again|many|rollback|verify]… [--data small|large]…
//     [--filestore '0.1 GB'|'1 GB'|'4 GB']… [--files '70,000 files'|'2,000,000 files']… [--link loopback|wan]… [--rounds N] [--program FILE]
// What is left out means all of them. A `--what` of which all is run writes its section of docs/benchmarks.md. `--program`
// measures another build than one of the source as it is.
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { run } from '../test/support/processes.ts';
import { createBucket, listKeys, s3Client } from '../test/support/s3.ts';
import { type Sandbox, startSandbox } from '../test/support/sandbox.ts';
import * as again from './bench/again.ts';
import { ours, type Run, theirs } from './bench/contenders.ts';
import { prepare, type Size, sizes } from './bench/data.ts';
import { type Link, loopback, wan, wanObstacle } from './bench/link.ts';
import { backUpTwice, crowds, type Many } from './bench/many.ts';
import {
  type AgainResult,
  againReport,
  type ManyResult,
  type Measured,
  machineText,
  manyReport,
  type Result,
  type RollbackResult,
  report,
  rollbackReport,
  type VerifyResult,
  verifyReport,
  withSections,
} from './bench/report.ts';
import * as rollback from './bench/rollback.ts';
import type { Case } from './bench/running.ts';
import { type Verification, verification } from './bench/verify.ts';

// The sandbox lies on a disk, as what users have does, and not in memory as for tests.
process.env.TMPDIR ??= tmpdir();

const links = { loopback, wan } as const;
const parts = { backup: true, again: true, many: true, rollback: true, verify: true } as const;

const { values: options } = parseArgs({
  options: {
    what: { type: 'string', multiple: true, default: Object.keys(parts) },
    data: { type: 'string', multiple: true, default: Object.keys(sizes) },
    filestore: { type: 'string', multiple: true, default: Object.keys(again.growing) },
    files: { type: 'string', multiple: true, default: Object.keys(crowds) },
    link: { type: 'string', multiple: true, default: Object.keys(links) },
    rounds: { type: 'string', default: '2' },
    program: { type: 'string' },
  },
});
const chosenWhat = chosen(options.what, parts);
const chosenSizes = chosen(options.data, sizes);
const chosenFilestores = chosen(options.filestore, again.growing);
const chosenCrowds = chosen(options.files, crowds);
const chosenLinks = chosen(options.link, links);
const versions = await Promise.all([
  ...['ssh -V 2>&1', 'pg_dump --version', 'zip -v | sed -n 2p'].map(firstLine),
  firstLine('aws --version >/dev/null && aws --version 2>&1 | cut -d" " -f1'),
  firstLine('restic version | cut -d" " -f1,2'),
  firstLine('echo "TCP $(cat /proc/sys/net/ipv4/tcp_congestion_control)"'),
]);

// restic leaves Content-Type unsigned, which Ceph has refused since CVE-2026-54330.
await using sandbox = await startSandbox({ gateway: 'rgw sigv4 insecure = true' });
const program = options.program ?? (await bundle());
const bucket = await createBucket(s3Client(sandbox.s3));
const results: Result[] = [];
const rollbacks: RollbackResult[] = [];
const verifications: VerifyResult[] = [];
const nexts: AgainResult[] = [];
const manies: ManyResult[] = [];
const withData = chosenWhat.some((what) => what !== 'again' && what !== 'many') ? chosenSizes : [];
for (const size of withData) {
  say(`${size}: making the data`);
  const data = await prepare(sandbox, size, sizes[size]);
  for (const name of chosenLinks) {
    const obstacle = name === 'wan' ? await wanObstacle() : undefined;
    if (obstacle) {
      say(`${size}, ${name}: skipped: ${obstacle}`);
      continue;
    }
    await using link = await links[name](sandbox);
    const place = { sandbox, data, link, bucket };
    const about = { size, data, link: link.title };
    if (chosenWhat.includes('backup')) results.push({ ...about, ...(await compare(place, size)) });
    if (chosenWhat.includes('rollback'))
      rollbacks.push({ ...about, ...(await compareRollbacks(place, size)) });
    // The line to the host has no part in it: once is enough.
    if (chosenWhat.includes('verify') && verifications.every((each) => each.size !== size))
      verifications.push({ ...about, runs: await runVerifications(place, size) });
  }
  await data.odoo[Symbol.asyncDispose]();
}
for (const size of chosenWhat.includes('again') ? chosenFilestores : []) {
  say(`${size}: making the data`);
  const data = await prepare(sandbox, size, again.growing[size]);
  for (const name of chosenLinks) {
    if (name === 'wan' && (size !== again.overLongLine || (await wanObstacle()))) continue;
    await using link = await links[name](sandbox);
    const runs = await runAgain({ sandbox, data, link, bucket }, size);
    nexts.push({ size, data, link: link.title, runs });
  }
  await data.odoo[Symbol.asyncDispose]();
}
for (const size of chosenWhat.includes('many') ? chosenCrowds : []) {
  say(`${size}: making the data`);
  const data = await prepare(sandbox, size, crowds[size]);
  await using link = await loopback(sandbox);
  const runs = await runMany({ sandbox, data, link, bucket }, size);
  manies.push({ size, data, link: link.title, runs });
  await data.odoo[Symbol.asyncDispose]();
}
const machine = machineText(versions, Number(options.rounds));
const [perSize, perLink] = [Object.keys(sizes).length, Object.keys(links).length];
const sections = [
  section(report(results), results.length, perSize * perLink),
  section(againReport(nexts), nexts.length, Object.keys(again.growing).length + 1),
  section(manyReport(manies), manies.length, Object.keys(crowds).length),
  section(rollbackReport(rollbacks), rollbacks.length, perSize * perLink),
  section(verifyReport(verifications), verifications.length, perSize),
].filter(({ cases }) => cases > 0);
console.log(sections.map(({ text }) => text).join('\n\n'));
const whole = sections.filter(({ isWhole }) => isWhole).map(({ text }) => text);
if (whole.length > 0 && !options.program) {
  const page = new URL('../docs/benchmarks.md', import.meta.url);
  await writeFile(page, withSections(await readFile(page, 'utf8'), whole));
}

/** A section of the page, which is written where every case of it was run. */
function section([title, ...rest]: readonly string[], cases: number, allCases: number) {
  return { text: [`## ${title}`, machine, ...rest].join('\n\n'), cases, isWhole: cases === allCases };
}

/** @throws Error for a name that is not in the table */
function chosen<T extends object>(names: readonly string[], table: T): (keyof T)[] {
  const unknown = names.find((name) => !(name in table));
  if (unknown) throw new Error(`There is no ${unknown}, only ${Object.keys(table).join(' and ')}`);
  return names as (keyof T)[];
}

/** Runs both in turn, each first as often as the other. */
async function compare(place: Case, size: Size): Promise<Pick<Result, 'ours' | 'theirs'>> {
  const runs = { ours: [] as Measured[], theirs: [] as Measured[] };
  const contenders = { ours: () => ours(place, program), theirs: () => theirs(place) };
  for (let round = 1; round <= Number(options.rounds); round += 1) {
    const order = round % 2 === 1 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const);
    for (const name of order) {
      const measured = await measure(place.link, contenders[name]);
      await cleanUp(place.sandbox, place.bucket);
      say(
        `${size}, ${place.link.title}: ${name} ${measured.seconds.toFixed(1)} s (${stepsText(measured.steps)})`,
      );
      runs[name].push(measured);
    }
  }
  return runs;
}

/** The same for rollbacks, each after the same damage. */
async function compareRollbacks(
  place: Case,
  size: Size,
): Promise<Pick<RollbackResult, 'serviceSeconds' | 'ours' | 'theirs'>> {
  const runs = { ours: [] as rollback.Rollback[], theirs: [] as rollback.Rollback[] };
  const prepared = await rollback.prepareRollback(place, program);
  const contenders = {
    ours: () => rollback.ours(prepared, program),
    theirs: () => rollback.theirs(prepared),
  };
  try {
    const serviceSeconds = await rollback.serviceSeconds(prepared);
    for (let round = 1; round <= Number(options.rounds); round += 1) {
      const order = round % 2 === 1 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const);
      for (const name of order) {
        await rollback.damage(prepared);
        await run(['sync']);
        const measured = await contenders[name]();
        await rollback.verify(prepared);
        const { seconds, downtime } = measured;
        say(
          `${size}, ${place.link.title}: rollback by ${name} ${seconds.toFixed(1)} s, downtime ${downtime.toFixed(1)} s (${stepsText(measured.steps)})`,
        );
        runs[name].push(measured);
      }
    }
    return { serviceSeconds, ...runs };
  } finally {
    await prepared.server[Symbol.asyncDispose]();
    await cleanUp(place.sandbox, place.bucket);
  }
}

/** The next backup by everybody, each after the same first one and the same change. */
async function runAgain(place: Case, size: string): Promise<AgainResult['runs']> {
  const runs: Record<string, again.Again[]> = {};
  for (let round = 1; round <= Number(options.rounds); round += 1) {
    const prepared = await again.prepareAgain(place, program);
    try {
      for (const [name, contender] of Object.entries(again.contenders)) {
        const measured = await contender(prepared);
        await run(['sync']);
        say(`${size}, ${place.link.title}: again by ${name} ${measured.seconds.toFixed(1)} s`);
        runs[name] = [...(runs[name] ?? []), measured];
      }
    } finally {
      await again.endAgain(prepared);
      await cleanUp(place.sandbox, place.bucket);
    }
  }
  return runs;
}

/** Two backups of many files. */
async function runMany(place: Case, size: string): Promise<Many[]> {
  const runs: Many[] = [];
  for (let round = 1; round <= Number(options.rounds); round += 1) {
    const measured = await backUpTwice(place, program);
    await cleanUp(place.sandbox, place.bucket);
    const { first, next } = measured;
    say(`${size}: the first backup ${first.seconds.toFixed(1)} s, the next ${next.seconds.toFixed(1)} s`);
    runs.push(measured);
  }
  return runs;
}

/** What each level of proof takes, beside the backup itself. */
async function runVerifications(place: Case, size: Size): Promise<Verification[]> {
  const runs: Verification[] = [];
  for (let round = 1; round <= Number(options.rounds); round += 1) {
    const measured = await verification(place, program);
    await cleanUp(place.sandbox, place.bucket);
    const levels = measured.proofs.map(({ level, seconds }) => `${level} ${seconds.toFixed(1)} s`);
    say(`${size}: backup ${measured.seconds.toFixed(1)} s, ${levels.join(', ')}`);
    runs.push(measured);
  }
  return runs;
}

function stepsText(steps: Readonly<Record<string, number>>): string {
  return Object.entries(steps)
    .map(([step, seconds]) => `${step} ${seconds.toFixed(1)}`)
    .join(', ');
}

async function measure(link: Link, backUp: () => Promise<Run>): Promise<Measured> {
  const before = await link.received();
  const measured = await backUp();
  const after = await link.received();
  return {
    ...measured,
    receivedBytes: before === undefined || after === undefined ? undefined : after - before,
  };
}

/** Nobody starts with another's objects in the store, or its writes on their way to the disk. */
async function cleanUp({ s3 }: Sandbox, name: string): Promise<void> {
  const client = s3Client(s3);
  const keys = await listKeys(client, name);
  await Promise.all(keys.map((Key) => client.send(new DeleteObjectCommand({ Bucket: name, Key }))));
  if (s3.radosgwAdmin) await run([...s3.radosgwAdmin, 'gc', 'process', '--include-all']);
  await run(['sync']);
}

/** What users run is the bundle: makes it of the source as it is. */
async function bundle(): Promise<string> {
  await run([process.execPath, fileURLToPath(new URL('bundle.ts', import.meta.url))]);
  return fileURLToPath(new URL('../dist/main.js', import.meta.url));
}

async function firstLine(command: string): Promise<string> {
  return (await run(['sh', '-c', command])).split('\n')[0]?.split(',')[0]?.trim() ?? '';
}

function say(line: string): void {
  console.error(line);
}
