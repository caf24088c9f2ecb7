import { styleText } from 'node:util';
import { plainText } from '../report/plain.ts';
import { type Summary, withTexts } from '../report/summary.ts';
import { cutToWidth, wrapped } from '../report/width.ts';
import { failureOf } from './failure.ts';
import { jobToken } from './id-token.ts';
import { logText } from './log-text.ts';
import { Mask } from './mask.ts';
import { Outputs } from './outputs.ts';
import { ReportPage } from './page.ts';
import {
  type Environment,
  failureLines,
  type Platform,
  type ProgressState,
  type RawInputs,
} from './platform.ts';

/** The two streams of a program, as far as the log needs to know them. */
export interface Streams {
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
}

type TerminalStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** What is asked of a terminal: the inputs, and where the result goes. */
export interface TerminalLine extends RawInputs {
  /** Whether the result goes to standard output as JSON. */
  readonly json?: boolean;
  /** The file that gets the result as a page. */
  readonly report?: string | undefined;
}

const clearLine = '\r\x1b[K';

/** The commands whose result is there to be read: it goes to standard output whoever reads that. */
const forReading = ['list'];

/** Styles of util.styleText. */
type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green';

/**
 * A person's terminal, or a script: the log goes to standard error, and the result to standard output. That is the
 * summary for a person, `name=value` lines for another program, or with `--json` JSON for both. In a `run:` step of a
 * GitHub workflow, both are the log that the runner reads.
 */
export function terminalPlatform(line: TerminalLine, env: Environment, streams: Streams): Platform {
  const { stdout, stderr } = streams;
  const mask = new Mask();
  const fit = logText(env);
  const clean = (message: string) => fit(mask.apply(message));
  const live = stderr.isTTY === true;
  const columns = () => stderr.columns ?? 80;
  const styled = (stream: TerminalStream, style: Style, text: string) =>
    colourful(stream, env) ? styleText(style, text, { validateStream: false }) : text;
  let indent = '';
  let unfinished = false;

  const print = (message: string, style?: Style) => {
    if (unfinished) stderr.write(clearLine);
    unfinished = false;
    const indented = clean(message).replaceAll(/^(?=.)/gm, indent);
    const text = live ? wrapped(indented, columns()) : indented;
    stderr.write(`${style ? styled(stderr, style, text) : text}\n`);
  };
  const progress = (message: string, { fraction, step, short = message }: ProgressState = {}) => {
    if (!live) return print(message);
    const percent = `${Math.floor((fraction ?? 0) * 100)} %`.padStart(5);
    const bar =
      fraction === undefined ? '' : `${drawnBar(fraction, columns() < 100 ? 10 : 20, env)}${percent} · `;
    const text = indent + bar + [step, clean(short)].filter(Boolean).join(' · ');
    stderr.write(clearLine + cutToWidth(text, columns() - 1));
    unfinished = true;
  };
  const warning = (message: string) => print(`warning: ${message}`, 'yellow');
  const lines = !line.json && !stdout.isTTY && !forReading.includes(line.input('command'));
  const outputs = new Outputs((name, value) => {
    const text = lines ? `${name}=${value}` : line.json && jsonOutputs.includes(name) ? value : undefined;
    if (text === undefined) return;
    stdout.write(`${text}\n`, (error) => {
      // Who went away (`| head`) wants no more of them.
      if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') outputs.failed(name, value, error);
    });
  }, warning);
  const page =
    line.report &&
    new ReportPage({
      path: line.report,
      heading: `odoo-backup ${line.input('command') || 'backup'}`,
      mask: (text) => mask.apply(text),
      warning,
    });
  let told: Summary | undefined;
  const show = (summary: Summary) => {
    told = summary;
    const masked = withTexts(summary, (text) => mask.apply(text));
    if (line.json && live) return;
    if (lines || line.json) return print(`\n${plainText(masked, live ? columns() : undefined)}`);
    if (unfinished) stderr.write(clearLine);
    unfinished = false;
    const [title = '', ...rest] = fit(plainText(masked, stdout.isTTY ? stdout.columns : undefined)).split(
      '\n',
    );
    const colour = ({ done: 'green', flawed: 'yellow', failed: 'red' } as const)[summary.outcome];
    if (stdout.isTTY) stdout.write('\n');
    stdout.write(`${[styled(stdout, colour, title), ...rest].join('\n')}\n`);
  };
  return {
    run: { platform: 'terminal', actor: env.USER },
    progressIntervalMs: live ? 200 : 5000,
    input: line.input,
    given: () => line.flags ?? [],
    secret: (value) => mask.add(value),
    idToken: (audience) => jobToken(audience, env),
    prepare: () => {},
    group: async (title, body) => {
      print(title, 'bold');
      indent += '  ';
      try {
        return await body();
      } finally {
        indent = indent.slice(2);
      }
    },
    info: (message) => print(message),
    notice: (message) => print(message),
    warning,
    progress,
    output: (name, value) => outputs.give(name, value),
    summary: async (summary) => {
      show(summary.told ? { ...summary, blocks: [] } : summary);
      if (page) page.add(summary);
    },
    finish: async () => {
      await new Promise((resolve) => stdout.write('', resolve));
      outputs.assertWritten();
    },
    fail: (error, left = '') => {
      // A person who has just read it in the summary needs the rest.
      const known = live && told?.outcome === 'failed' ? plainText(told) : '';
      const said = failureLines(error).filter((each) => !known.includes(each));
      const [first = ''] = failureLines(error);
      print(said[0] === first ? `error: ${said.join('\n  ')}` : said.join('\n'), 'red');
      if (page) page.fail(failureOf(error, left));
    },
  };
}

/** A bar, in what the terminal's character set has. */
function drawnBar(fraction: number, wide: number, { LC_ALL, LC_CTYPE, LANG }: Environment): string {
  const [full, empty] = /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '') ? ['█', '░'] : ['#', '-'];
  const done = Math.round(Math.max(0, Math.min(1, fraction)) * wide);
  return full.repeat(done) + empty.repeat(wide - done);
}

/** The outputs that `--json` prints: a command has one of them. */
const jsonOutputs = ['json', 'matrix'];

/** https://no-color.org; FORCE_COLOR as Node.js has it. */
function colourful(stream: TerminalStream, env: Environment): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0';
  return stream.isTTY === true && env.TERM !== 'dumb';
}
