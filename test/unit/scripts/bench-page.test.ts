import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { conclusion } from '../../../scripts/bench/conclusion.ts';
import { growthOf, slopeOf } from '../../../scripts/bench/figures.ts';
import { goalStates } from '../../../scripts/bench/goals.ts';
import { calculateLarge } from '../../../scripts/bench/large.ts';
import { benchmarkFiles } from '../../../scripts/bench/page.ts';
import type { Parties } from '../../../scripts/bench/parties.ts';
import { profileText } from '../../../scripts/bench/profile.ts';
import {
  type Case,
  type Measure,
  type Part,
  type Recorded,
  withCases,
} from '../../../scripts/bench/record.ts';

const NOTHING: Recorded = { machines: [], cases: [] };
const GB = 1e9;

const took = (seconds: number, more: Partial<Measure> = {}): Measure[] => [
  { seconds: seconds + 1, ...more },
  { seconds, ...more },
  { seconds: seconds - 0.5, ...more },
];

interface Made {
  readonly size: string;
  readonly link?: string;
  readonly data?: Partial<Case['data']>;
}

function made(part: Part, { size, link = 'loopback', data = {} }: Made, runs: Case['runs']): Case {
  return { part, size, link, data: { databaseBytes: GB, filestoreBytes: GB, files: 1000, ...data }, runs };
}

const processor = { all: 3, main: 2, collecting: 0.1, machine: 12 };

/** Times that are straight lines: 5 s for each GB of database, 1 s for each GB of files, 10 µs a file. */
const straight: readonly Case[] = [
  ...[0.4, 4].map((size) =>
    made(
      'databases',
      { size: `${size} GB database`, data: { databaseBytes: size * GB } },
      {
        'pg_dump | zstd -1 alone': took(2 * size),
        'backup, dual': took(1 + 5 * size),
        rollback: took(2 + 30 * size),
      },
    ),
  ),
  ...[1, 4].map((size) =>
    made(
      'again',
      { size: `${size} GB`, data: { filestoreBytes: size * GB } },
      {
        ours: took(5 + size, { sentBytes: GB / 5, processor }),
        'ours, incremental: false': took(5 + 10 * size),
        restic: took(4),
        script: took(40),
      },
    ),
  ),
  ...[70_000, 2_000_000].map((files) =>
    made(
      'many',
      { size: `${files} files`, data: { files } },
      { 'next backup': took(2 + files / 1e5, { peakBytes: 3e8 }), rollback: took(3 + files / 1e4) },
    ),
  ),
];

suite('the page of benchmarks', () => {
  test('says that nothing is recorded', () => {
    const [[path, page] = []] = benchmarkFiles(NOTHING);
    assert.equal(path, 'docs/benchmarks.md');
    assert.match(page ?? '', /\*\*No results are recorded yet\.\*\*/);
    assert.doesNotMatch(page ?? '', /^## /m);
  });

  test('has medians, in the conclusion, in tables and in charts', () => {
    const recorded = withCases(NOTHING, straight, 'A machine');
    const files = new Map(benchmarkFiles(recorded));
    const page = files.get('docs/benchmarks.md') ?? '';
    assert.match(page, /\| ours \| 6\.0 s \| 1\.00 \|.*\| 3\.0 s, 25 % \| 2\.0 s \| 5 % \| – \|/);
    assert.match(page, /the script, next backup: 0\.15/);
    assert.match(page, /Where we are not: restic, next backup on loopback, both dumps: 1\.50\./);
    assert.match(page, /twice in `dual`, which took 3\.0 s of processor, 25 % of all/);
    for (const [, name = ''] of page.matchAll(/\(images\/(.*?)\)/g))
      assert.ok(files.has(`docs/images/${name}`));
    assert.match(files.get('docs/images/bench-next.svg') ?? '', /prefers-color-scheme: dark/);
    assert.match(files.get('docs/images/bench-next.svg') ?? '', />40\.0 s</);
    assert.equal(conclusion(recorded).length, 1);
  });

  test('calculates a large Odoo from straight lines', () => {
    assert.deepEqual(slopeOf([[1, 3], [3, 7]]), { fixed: 1, each: 2 }); // biome-ignore format: two points
    assert.equal(slopeOf([[1, 3]]), undefined);
    assert.equal(
      growthOf([], 'ours', () => 1),
      undefined,
    );
    const rows = calculateLarge(withCases(NOTHING, straight, 'A machine'));
    const of = (what: string) => rows.find((row) => row.what === what);
    // 1 s, 20 GB by 5 s, 100 GB by 1 s, 300,000 files by 10 µs
    assert.match(of('Next backup, loopback')?.time ?? '', /^3 min 24/);
    assert.match(of('First backup, over 200 Mbit/s')?.bound ?? '', /the line/);
    // 2 s, 20 GB by 30 s
    assert.match(of('Rollback, the host has the files')?.time ?? '', /^10 min 02/);
    assert.deepEqual(calculateLarge(NOTHING), []);
  });

  test('keeps what was recorded of other cases, and where', () => {
    const before = withCases(NOTHING, straight, 'A machine');
    const again = made('again', { size: '1 GB' }, { ours: took(1) });
    const after = withCases(before, [again], 'Another machine');
    assert.equal(after.cases.length, before.cases.length);
    assert.deepEqual(after.machines.toSorted(), ['A machine', 'Another machine']);
    const replaced = after.cases.filter(({ part, size }) => part === 'again' && size === '1 GB');
    assert.deepEqual(
      replaced.map(({ runs, machine }) => [Object.keys(runs), after.machines[machine]]),
      [[['ours'], 'Another machine']],
    );
  });

  test('has the goals, and why those that are not reached are not', () => {
    const parties = { postgres: 3, host: 2, s3: 1, client: 3, rest: 1, idle: 2 };
    const profiled = made(
      'again',
      { size: '1 GB' },
      {
        ours: took(6, { processor, parties, reads: 1.1, peakBytes: 5e8 }),
        'pg_dump | zstd -1 alone': took(2, { parties }),
      },
    );
    const recorded = withCases(withCases(NOTHING, straight, 'A machine'), [profiled], 'A machine');
    const [first, second] = goalStates(recorded);
    assert.deepEqual([first?.measured, first?.isReached, second?.measured], ['3.00', false, undefined]);
    const of = (what: RegExp) => goalStates(recorded).find((each) => what.test(each.what));
    assert.deepEqual(of(/^Reads/), {
      ...{ what: 'Reads of the production database for both dumps', goal: '1.00', measured: '1.00' },
      ...{ isReached: true, why: '' },
    });
    assert.match(
      of(/^Peak memory/)?.why ?? '',
      /“ours” of the data “1 GB” \(loopback\)\. All others are below/,
    );

    const page = new Map(benchmarkFiles(recorded)).get('docs/benchmarks.md') ?? '';
    assert.match(
      page,
      /\| ours \| 6\.0 s \| 3\.0 s \| 2\.0 s \| 1\.0 s \| 3\.0 s \(2\.0 s\) \| 1\.0 s \| 2\.0 s, 17 % \|/,
    );
    assert.match(page, /## Goals that are not reached, and why\n\n- \*\*Next backup, both dumps, loopback/);
  });

  test('says what the ratio would be if ours were nothing', () => {
    const why = (parties: Partial<Parties>, goal: number) =>
      profileText(
        { ...{ postgres: 0, host: 0, s3: 0, client: 0, rest: 0, idle: 0 }, ...parties },
        { seconds: 6, theirSeconds: 2, goal },
      );
    // Two processors for 6 s. Without ours, and always busy: 9 s of work, 4.5 s, 2.25 times theirs.
    const others = { postgres: 4, host: 3, s3: 2, client: 2, idle: 1 };
    assert.match(
      why(others, 2),
      /^Of 11\.0 s of processor time, 2\.0 s are ours, 4\.0 s PostgreSQL’s, .* would be 2\.25: /,
    );
    // Without ours, and all else as it was: 5 s, 2.5 times theirs; always busy: 1.5 s.
    assert.match(
      why({ postgres: 3, client: 2, idle: 7 }, 2),
      /would be 2\.50; if no processor .* 0\.75: .* waiting/,
    );
    assert.match(
      why({ postgres: 3, client: 8, idle: 1 }, 2),
      /would be 1\.00: our own processor time is what/,
    );
  });

  test('has what was measured before anybody counted who used the processors', () => {
    const runs = { 'ours, format: custom': took(6, { processor }), restic: took(2) };
    const old = made('again', { size: '1 GB' }, runs);
    const page = new Map(benchmarkFiles(withCases(NOTHING, [old], 'A machine'))).get('docs/benchmarks.md');
    assert.doesNotMatch(page ?? '', /## Who used the processor/);
    assert.match(page ?? '', /\| The same ÷ restic \| ≤ 1\.00 \| 3\.00 \| no \|/);
    assert.match(page ?? '', /Of 12\.0 s of processor time, 3\.0 s are ours; who used the rest was not/);
  });
});
