import { styleText } from 'node:util';

// styleText leaves the styles out where standard output is no terminal, and where NO_COLOR is set.

/** What happens, in a sentence. */
export function say(text: string): void {
  console.log(text);
}

export function heading(text: string): void {
  console.log(`\n${styleText(['bold', 'cyan'], `── ${text} ${'─'.repeat(80 - text.length)}`)}\n`);
}

/** Names and what belongs to them, in two columns. */
export function facts(rows: readonly (readonly [name: string, value: string])[]): void {
  for (const [name, value] of rows) console.log(`${styleText('bold', name.padEnd(10))} ${value}`);
}

/** Something quoted from a file or a program. */
export function quote(text: string): void {
  console.log(text.trim().replaceAll(/^/gm, styleText('dim', '  │ ')));
}
