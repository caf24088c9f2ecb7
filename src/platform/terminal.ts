import { plainText } from '../report/plain.ts';
import { withTexts } from '../report/summary.ts';
import { jobToken } from './id-token.ts';
import { logText } from './log-text.ts';
import { Mask } from './mask.ts';
import { Outputs } from './outputs.ts';
import { describeError, type Environment, type Platform, type RawInputs } from './platform.ts';

/** The two streams of a program, as far as the log needs to know them. */
export interface Streams {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
}

const clearLine = '\r\x1b[K';

/**
 * A person's terminal, or a script: the log goes to standard error, and the outputs go to standard output as
 * `name=value` lines where that is read by another program. In a `run:` step of a GitHub workflow, both are the log
 * that the runner reads.
 */
export function terminalPlatform(line: RawInputs, env: Environment, streams: Streams): Platform {
  const { stdout, stderr } = streams;
  const mask = new Mask();
  const fit = logText(env);
  const clean = (message: string) => fit(mask.apply(message));
  const live = stderr.isTTY === true;
  let indent = '';
  let unfinished = false;

  const print = (message: string) => {
    if (unfinished) stderr.write(clearLine);
    unfinished = false;
    stderr.write(`${clean(message).replaceAll(/^(?=.)/gm, indent)}\n`);
  };
  const progress = (message: string) => {
    if (!live) return print(message);
    const text = (indent + clean(message)).slice(0, (stderr.columns ?? 80) - 1);
    stderr.write(clearLine + text);
    unfinished = true;
  };
  const warning = (message: string) => print(`warning: ${message}`);
  const outputs = new Outputs((name, value) => {
    if (stdout.isTTY) return;
    stdout.write(`${name}=${value}\n`, (error) => {
      // Who went away (`| head`) wants no more of them.
      if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') outputs.failed(name, value, error);
    });
  }, warning);
  return {
    run: { platform: 'terminal', actor: env.USER },
    progressIntervalMs: live ? 200 : 5000,
    input: line.input,
    secret: (value) => mask.add(value),
    idToken: (audience) => jobToken(audience, env),
    prepare: () => {},
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
    warning,
    progress,
    output: (name, value) => outputs.give(name, value),
    summary: async (summary) => {
      const shown = summary.told ? { ...summary, blocks: [] } : summary;
      print(`\n${plainText(withTexts(shown, (text) => mask.apply(text)))}`);
    },
    finish: async () => {
      await new Promise((resolve) => stdout.write('', resolve));
      outputs.assertWritten();
    },
    fail: (error) => print(`error: ${describeError(error).join('\n  ')}`),
  };
}
