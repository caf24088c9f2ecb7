import { plainText } from '../report/plain.ts';
import type { CommandLine } from './command-line.ts';
import { Mask } from './mask.ts';
import { describeError, type Environment, type Platform } from './platform.ts';

/** The two streams of a program, as far as the log needs to know them. */
export interface Streams {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
}

const clearLine = '\r\x1b[K';

/**
 * A person's terminal, or a script: the log goes to standard error, and the outputs go to standard output as
 * `name=value` lines where that is read by another program.
 */
export function terminalPlatform(line: CommandLine, env: Environment, streams: Streams): Platform {
  const { stdout, stderr } = streams;
  const mask = new Mask();
  const live = stderr.isTTY === true;
  let indent = '';
  let unfinished = false;

  const print = (message: string) => {
    if (unfinished) stderr.write(clearLine);
    unfinished = false;
    stderr.write(`${mask.apply(message).replaceAll(/^(?=.)/gm, indent)}\n`);
  };
  const progress = (message: string) => {
    if (!live) return print(message);
    const text = (indent + mask.apply(message)).slice(0, (stderr.columns ?? 80) - 1);
    stderr.write(clearLine + text);
    unfinished = true;
  };
  return {
    run: { platform: 'terminal', actor: env.USER },
    progressIntervalMs: live ? 200 : 5000,
    input: line.input,
    secret: (value) => mask.add(value),
    group: async (title, body) => {
      print(title);
      indent += '  ';
      try {
        return await body();
      } finally {
        indent = indent.slice(2);
      }
    },
    info: print,
    notice: print,
    warning: (message) => print(`warning: ${message}`),
    progress,
    output: (name, value) => {
      if (!stdout.isTTY) stdout.write(`${name}=${value}\n`);
    },
    summary: async (summary) => print(`\n${plainText(summary.told ? { ...summary, blocks: [] } : summary)}`),
    fail: (error) => print(`error: ${describeError(error).join('\n  ')}`),
  };
}
