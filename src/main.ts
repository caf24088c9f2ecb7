#!/usr/bin/env node
import { backup } from './commands/backup.ts';
import { gate } from './commands/gate.ts';
import { hosts } from './commands/hosts.ts';
import { list } from './commands/list.ts';
import { prune } from './commands/prune.ts';
import { restore } from './commands/restore.ts';
import { rollback } from './commands/rollback.ts';
import { verify } from './commands/verify.ts';
import { CancelledError } from './errors.ts';
import { tuneGarbageCollector } from './garbage.ts';
import { help } from './inputs/help.ts';
import { secretsOf } from './inputs/secrets.ts';
import { type Inputs, inputError, parseInputs } from './inputs.ts';
import { type CommandLine, parseCommandLine } from './platform/command-line.ts';
import { githubPlatform } from './platform/github.ts';
import { gitlabPlatform } from './platform/gitlab.ts';
import { pinging } from './platform/ping.ts';
import { detectPlatform, exitCodeOf, type Platform } from './platform/platform.ts';
import { terminalPlatform } from './platform/terminal.ts';
import { formatDuration } from './report/format.ts';
import { StrandedError } from './restore/plan.ts';
import { version } from './version.ts';

const { env, stdout, stderr } = process;

async function main(): Promise<void> {
  const line = parseCommandLine(process.argv.slice(2), env);
  if (line.help) return void stdout.write(help());
  if (line.version) return void stdout.write(`${version}\n`);

  const platform = openPlatform(line);
  try {
    for (const secret of secretsOf(platform.input, env)) platform.secret(secret);
    platform.prepare();
    if (line.problems.length > 0) throw inputError(line.problems);
    const inputs = parseInputs(platform.input, env, platform.secret);
    for (const warning of [...line.warnings, ...inputs.warnings]) platform.warning(warning);
    await pinging(inputs, platform, () => cancellable(inputs, platform));
    await platform.finish();
  } catch (error) {
    platform.fail(error);
    process.exitCode = exitCodeOf(error);
  }
}

function openPlatform(line: CommandLine): Platform {
  switch (detectPlatform(env)) {
    case 'github':
      return githubPlatform(env);
    case 'gitlab':
      return gitlabPlatform(line, env, stdout);
    case 'terminal':
      return terminalPlatform(line, env, { stdout, stderr });
  }
}

function run(inputs: Inputs, platform: Platform, signal: AbortSignal): Promise<void> {
  switch (inputs.command) {
    case 'backup':
      return backup(inputs, platform, signal);
    case 'rollback':
      return rollback(inputs, platform, signal);
    case 'restore':
      return restore(inputs, platform, signal);
    case 'verify':
      return verify(inputs, platform, signal);
    case 'gate':
      return gate(inputs, platform, signal);
    case 'list':
      return list(inputs, platform, signal);
    case 'prune':
      return prune(inputs, platform, signal);
    case 'hosts':
      return hosts(inputs, platform);
  }
}

/** What a cancelled run leaves behind. */
const cancelled: Readonly<Record<Inputs['command'], string>> = {
  backup: 'No backup was made, unless the log names one. Nothing on the host was changed.',
  rollback: 'What was begun has been taken back, as the log says.',
  restore: 'What was begun has been taken back, as the log says.',
  verify: 'The receipts say what they said, but for proofs that the log names.',
  gate: 'It only reads.',
  list: 'It only reads.',
  prune: 'What the log names is deleted, and nothing else.',
  hosts: 'It only reads.',
};

/** Runs the command until it has ended, and has cleaned up, by itself; a signal or the timeout asks it to. */
async function cancellable(inputs: Inputs, platform: Platform): Promise<void> {
  const controller = new AbortController();
  const cancel = (message: string, hint: string, signal?: NodeJS.Signals) => {
    platform.info(`${message}: cleaning up`);
    controller.abort(new CancelledError(message, hint, signal));
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (!controller.signal.aborted) {
      cancel(`Cancelled (${signal})`, cancelled[inputs.command], signal);
    } else if (signal === 'SIGINT') process.exit(130); // the second Ctrl-C; GitHub sends SIGINT, then SIGTERM
  };
  const timer = setTimeout(() => {
    const limit = formatDuration(inputs.timeoutMs);
    cancel(
      `Not done within the timeout of ${limit}`,
      'Set the input timeout higher, or look for what is slow.',
    );
  }, inputs.timeoutMs);
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    await run(inputs, platform, controller.signal);
  } catch (error) {
    // Whatever broke because of the cancellation, that is the reason; but what a person has to finish comes first.
    throw controller.signal.aborted && !(error instanceof StrandedError) ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

tuneGarbageCollector();

// A reader that went away (`| head`) must not keep the run from cleaning up.
for (const stream of [stdout, stderr]) stream.on('error', () => {});
await main();
