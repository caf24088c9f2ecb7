import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { compileCache } from '../test/support/compile-cache.ts';
import { startSandbox } from '../test/support/sandbox.ts';
import { bundleForTests } from '../test/support/tested-program.ts';
import { Course } from './test-course.ts';
import { needsOf } from './test-needs.ts';

/** A file that takes longer than this hangs: ten times as long as the longest takes on an idle machine. */
const FILE_TIMEOUT_MS = 1_800_000;

/**
 * Runs test files, those given as arguments or else all, with the sandbox started once for those that need it, the
 * longest first. Sets the exit code. Options: `--test-name-pattern=TEXT`, `--test-shard=1/4`; `--record` writes how
 * long each file took.
 */
export async function runTests(
  root: string,
  all: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'test-name-pattern': { type: 'string', multiple: true },
      'test-shard': { type: 'string' },
      record: { type: 'boolean' },
    },
  });
  const [index, total] = (values['test-shard'] ?? '').split('/').map(Number);
  const durationsFile = join(root, 'test/durations.json');
  const files = longestFirst(positionals.length > 0 ? positionals : all, durationsOf(durationsFile));

  const needs = needsOf(files.map((file) => resolve(root, file)));
  await using sandbox = needs.sandbox ? await startSandbox(needs.s3 ? {} : { s3: 'none' }) : undefined;
  Object.assign(process.env, env, { NODE_COMPILE_CACHE: compileCache });
  if (sandbox) {
    process.env.SANDBOX = sandbox.description;
    await bundleForTests();
  }

  const course = new Course();
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ending.abort());
  const tests = run({
    files: files.map((file) => resolve(root, file)),
    // Each file waits half of its time, for servers, programs and limits. With six files on two cores nothing was done
    // sooner: each took 1.4 times as long.
    concurrency: 2 * availableParallelism(),
    timeout: FILE_TIMEOUT_MS,
    signal: ending.signal,
    testNamePatterns: values['test-name-pattern'],
    shard: index && total ? { index, total } : undefined,
  });
  tests.on('test:fail', ({ todo }) => {
    if (todo === undefined || todo === false) process.exitCode = 1;
  });
  tests.on('test:summary', ({ file, duration_ms }) => {
    if (file !== undefined) course.ended(relative(root, file), duration_ms);
  });
  tests.on('test:pass', ({ skip }) => {
    if (typeof skip === 'string') course.skipped(skip);
  });
  for await (const text of tests.compose(new spec())) process.stdout.write(text);
  for (const line of course.describe()) console.log(line);
  if (values.record) {
    // Files that another run takes, such as those on hosts, keep what theirs has recorded.
    const recorded = Object.entries({ ...durationsOf(durationsFile), ...course.seconds })
      .filter(([file]) => existsSync(join(root, file)))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    writeFileSync(durationsFile, `${JSON.stringify(Object.fromEntries(recorded), undefined, 2)}\n`);
  }
}

function durationsOf(path: string): Readonly<Record<string, number>> {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, number>) : {};
}

/** All lanes are busy to the end when the long files come first. A file that is new counts as long. */
const longestFirst = (files: readonly string[], durations: Readonly<Record<string, number>>): string[] => {
  const secondsOf = (file: string) => durations[file] ?? Number.POSITIVE_INFINITY;
  return files.toSorted((a, b) => (secondsOf(a) < secondsOf(b) ? 1 : secondsOf(a) > secondsOf(b) ? -1 : 0));
};
