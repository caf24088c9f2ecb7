import { styleText } from 'node:util';

// styleText leaves the styles out where standard output is no terminal, and where NO_COLOR is set.

/** What happens, in a sentence. */
export function say(text: string): void {
  console.log(text);
}

export function heading(text: string): void {
  console.log(
    `\n${styleText(['bold', 'cyan'], `── ${text} ${'─'.repeat(Math.max(0, 80 - text.length))}`)}\n`,
  );
}

/** Names and what belongs to them, in two columns. */
export function facts(rows: readonly (readonly [name: string, value: string])[]): void {
  for (const [name, value] of rows) console.log(`${styleText('bold', name.padEnd(10))} ${value}`);
}

/** A table, its first row the heading. */
export function columns(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  for (const [index, row] of rows.entries()) {
    const cells = row.map((cell, at) => {
      const padded = cell.padEnd(widths[at] ?? 0);
      return index === 0 || at === 0 ? styleText('bold', padded) : padded;
    });
    console.log(cells.join('  ').trimEnd());
  }
}

/** Something quoted from a file or a program. */
export function quote(text: string): void {
  console.log(text.trim().replaceAll(/^/gm, styleText('dim', '  │ ')));
}
