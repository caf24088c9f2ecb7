#!/usr/bin/env node
import { within } from './host/limits.ts';
import { type CommandLine, type Printed, variableLine } from './inputs/command-line/variables.ts';
import type { Inputs, TerminalSources } from './inputs/parse.ts';
import { secretsOf } from './inputs/secrets.ts';
import { Phases } from './platform/phases.ts';
import { pinging } from './platform/ping.ts';
import { describeError, detectPlatform, exitCodeOf, type Platform } from './platform/platform.ts';
import type { Run } from './platform/run.ts';
import { StrandedError } from './restore/plan.ts';
import { Cancellation } from './util/cancellation.ts';
import { CancelledError, messageOf } from './util/errors.ts';
import { formatDuration } from './util/format.ts';
import { tuneGarbageCollector } from './util/garbage-collection.ts';
import { version } from './util/version.ts';

const { env, stdout, stderr } = process;

// What a command or a platform alone needs is loaded when it is: `gate` has no use for SSH, nor a terminal for GitHub's
// toolkit. Loading is a third of the time that a short command takes.

/** Runs the command that the arguments or the CI's variables ask for. Sets the exit code; throws nothing. */
export async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  if (isVersion(argv[0])) return void stdout.write(`${version}\n`);
  const line =
    argv.length === 0
      ? variableLine(env)
      : (await import('./inputs/command-line/read.ts')).parseCommandLine(argv, env);
  const platformName = detectPlatform(env);
  const print = line.print ?? (platformName === 'terminal' && asksNothing(argv) ? usageAlone : undefined);
  if (print) return printOwn(print);

  const platform = await openPlatform(line);
  let left = 'Nothing was touched.';
  strayError = (error) => {
    platform.fail(error, left);
    process.exit(exitCodeOf(error));
  };
  try {
    for (const secret of secretsOf(platform.input, env)) platform.secret(secret);
    platform.prepare();
    const inputs = await readInputs(line, platform);
    left = leaves[inputs.command];
    await pinging(inputs, platform, () => cancellable(inputs, platform));
    await platform.finish();
  } catch (error) {
    platform.fail(error, left);
    process.exitCode = exitCodeOf(error);
  }
}

const isVersion = (word = ''): boolean => ['version', '--version', '-v', '-V'].includes(word);

/** Whether somebody has typed the program's name and nothing else, and no variable says what to do. */
const asksNothing = (argv: readonly string[]): boolean =>
  argv.length === 0 && !Object.keys(env).some((name) => /^ODOO_BACKUP_(?!RESULT_)/.test(name));

const usageAlone: Printed = { kind: 'usage', missing: true };

/** Prints what the program has of itself. Where a command was missing, a script has to see that nothing was done. */
async function printOwn(print: Printed): Promise<void> {
  if (print.kind === 'version') return void stdout.write(`${version}\n`);
  if (print.kind === 'completion') {
    const { completionScript } = await import('./inputs/command-line/completion.ts');
    return void stdout.write(completionScript(print.shell));
  }
  const { commandHelp, usage } = await import('./inputs/command-line/help.ts');
  if (print.kind === 'help') return void stdout.write(commandHelp(print.command, print.all, stdout.columns));
  stdout.write(usage(stdout.columns));
  if (print.missing) process.exitCode = 2;
}

/**
 * Reads and checks the inputs, with what stands in for them in a terminal, and prints what to be warned of.
 *
 * @throws InputError with all that is wrong
 */
async function readInputs(line: CommandLine, platform: Platform): Promise<Inputs> {
  const { inputError, parseInputs } = await import('./inputs/parse.ts');
  if (line.problems.length > 0) throw inputError(line.problems, line.hint);
  const asked = new Set<string>();
  const read = (name: string) => {
    asked.add(name);
    return platform.input(name);
  };
  const terminal = platform.run.platform === 'terminal' ? await terminalSources(line, platform) : {};
  const inputs = parseInputs(read, env, platform.secret, terminal);
  const given = platform.given?.() ?? [];
  const { unusedWarnings } =
    given.length > 0 ? await import('./inputs/uses.ts') : { unusedWarnings: () => [] };
  const unused = unusedWarnings(inputs.command, given, asked, platform.run.platform !== 'github');
  for (const warning of [...line.warnings, ...inputs.warnings, ...unused]) platform.warning(warning);
  return inputs;
}

async function terminalSources(line: CommandLine, platform: Platform): Promise<TerminalSources> {
  const { readConfigFile } = await import('./inputs/command-line/config-file.ts');
  const { askSsh } = await import('./inputs/command-line/ssh-config.ts');
  const config = readConfigFile(line.config);
  if (config) platform.info(`Inputs that are not given are taken from ${config.path}`);
  return { config, askSsh };
}

/**
 * Handles an error that is not awaited: one that an event of a package threw, or that of a forgotten promise. Such an
 * error is a bug of this program, and no reason to leave Odoo stopped or to print a bare stack.
 */
let strayError = (error: unknown): void => {
  stderr.write(`error: ${describeError(error).join('\n  ')}\n`);
  process.exit(1);
};

async function openPlatform(line: CommandLine): Promise<Platform> {
  switch (detectPlatform(env)) {
    case 'github':
      return (await import('./platform/github.ts')).githubPlatform(env);
    case 'gitlab':
      return (await import('./platform/gitlab.ts')).gitlabPlatform(line, env, stdout);
    case 'terminal':
      return (await import('./platform/terminal.ts')).terminalPlatform(line, env, { stdout, stderr });
  }
}

async function runCommand(inputs: Inputs, run: Run, cancellation: Cancellation): Promise<void> {
  switch (inputs.command) {
    case 'backup':
      return (await import('./commands/backup.ts')).backup(inputs, run);
    case 'rollback':
      return (await import('./commands/rollback.ts')).rollback(inputs, run, cancellation);
    case 'restore':
      return (await import('./commands/restore.ts')).restore(inputs, run, cancellation);
    case 'rehearse':
      return (await import('./commands/rehearse.ts')).rehearse(inputs, run, cancellation);
    case 'verify':
      return (await import('./commands/verify.ts')).verify(inputs, run);
    case 'gate':
      return (await import('./commands/gate.ts')).gate(inputs, run);
    case 'list':
      return (await import('./commands/list.ts')).list(inputs, run);
    case 'mark':
      return (await import('./commands/mark.ts')).mark(inputs, run);
    case 'prune':
      return (await import('./commands/prune.ts')).prune(inputs, run);
    case 'hosts':
      return (await import('./commands/hosts.ts')).hosts(inputs, run);
    case 'doctor':
      return (await import('./commands/doctor.ts')).doctor(inputs, run);
    case 'fetch':
      return (await import('./commands/fetch.ts')).fetch(inputs, run, stdout);
  }
}

/** What a run that was cancelled, or has failed, leaves behind. */
const leaves: Readonly<Record<Inputs['command'], string>> = {
  backup: 'No backup was made, unless the log above names one. Nothing on the host was changed.',
  rollback: 'What was begun has been undone, as the log shows.',
  restore: 'What was begun has been undone, as the log shows.',
  rehearse: 'The Odoo in use was not touched. A copy that was begun has been dropped, as the log shows.',
  verify: 'Receipts are unchanged except for the verifications logged above.',
  gate: 'Nothing was changed: this command only reads.',
  list: 'Nothing was changed: this command only reads.',
  mark: 'The receipt says what it said, unless the log says more.',
  prune: 'Only what the log names was deleted.',
  hosts: 'Nothing was changed: this command only reads.',
  doctor: 'Nothing was changed: this command only reads.',
  fetch:
    'A file that was not whole yet does not have its name. Of a whole archive FILE.part stays, from which the next run goes on.',
};

/** What asks a program to end. CIs send one of them, or several, when a job is cancelled or its runner stops. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * Runs the command until it has ended, and has cleaned up, by itself; a signal or the timeout asks it to. A second
 * signal is told what it would cost to end at once, a third one does it: npm hands on each Ctrl-C twice.
 */
async function cancellable(inputs: Inputs, platform: Platform): Promise<void> {
  const cancellation = new Cancellation();
  const { signal } = cancellation;
  const run = { platform, phases: new Phases(platform), signal };
  let asked = 0;
  const cancel = (reason: CancelledError) => {
    asked += 1;
    if (asked === 1) {
      platform.info(`${reason.message}: cleaning up`);
      return cancellation.ask(reason);
    }
    const { busyWith } = cancellation;
    if (asked === 2) {
      const cost = busyWith === undefined ? '' : `, and leaves to you: ${busyWith}`;
      return platform.warning(`Still cleaning up. One more signal ends the run at once${cost}`);
    }
    if (busyWith === undefined || asked > 3) process.exit(exitCodeOf(reason));
    cancellation.abandon(reason);
  };
  const onSignal = (name: NodeJS.Signals) =>
    cancel(new CancelledError(`Cancelled (${name})`, leaves[inputs.command], name));
  const timer = setTimeout(() => {
    const limit = formatDuration(inputs.timeoutMs);
    const hint = 'Set the input timeout higher, or look for what is slow.';
    if (asked === 0) cancel(new CancelledError(`Timed out after ${limit}`, hint));
  }, inputs.timeoutMs);
  for (const name of ENDING) process.on(name, onSignal);
  const [straysBefore, strays]: [typeof strayError, unknown[]] = [strayError, []];
  strayError = (error) => {
    strays.push(error);
    platform.warning(`The run ended with an unexpected error: ${messageOf(error)}`);
    cancellation.ask(error instanceof Error ? error : new Error(messageOf(error)));
  };
  try {
    await within(signal, () => runCommand(inputs, run, cancellation)).finally(async () => {
      if (inputs.catalogPage)
        await (await import('./commands/catalog-page.ts')).refreshCatalogPage(inputs, run);
    });
    if (strays.length > 0) throw strays[0]; // it came too late to end the run
  } catch (error) {
    // Whatever broke because of the cancellation, that is the reason; but what a person has to finish comes first.
    const { aborted, reason } = signal;
    throw aborted && !(error instanceof StrandedError) ? reason : error;
  } finally {
    strayError = straysBefore;
    clearTimeout(timer);
    for (const name of ENDING) process.off(name, onSignal);
  }
}

/** What the process of its own does that `entry.js` starts. */
export async function start(): Promise<void> {
  tuneGarbageCollector();
  process.on('uncaughtException', (error) => strayError(error)); // rejections too, as Node.js hands them on
  // A reader that went away (`| head`) must not keep the run from cleaning up.
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  await main();
}

if (import.meta.main) await start();
