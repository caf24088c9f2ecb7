/**
 * What steers a terminal, a log or a reader's eye instead of being read: C0 and C1 controls, DEL, the separators of
 * lines and paragraphs, and the controls of writing direction, which make a line look like another one
 * (https://trojansource.codes). This is the one place that knows them.
 */
const CONTROLS = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Whether a text is one line of well-formed Unicode without controls. */
export const isPrintable = (text: string): boolean => text.isWellFormed() && text.search(CONTROLS) < 0;

/** A text with a replacement character for each control, so that it may stand anywhere. */
export const withoutControls = (text: string): string => text.toWellFormed().replaceAll(CONTROLS, '\ufffd');

/** A text between quotation marks, with an escape sequence for each control. */
export const quoted = (text: string): string => printableJson(JSON.stringify(text));

/**
 * A text of any origin as it may be shown: lines are separated by `\n`, and every control but that and the tab stands
 * there as what it is, `\x1b` or `\u202e`.
 */
export const printable = (text: string): string =>
  text
    .replaceAll('\r\n', '\n')
    .replaceAll(CONTROLS, (control) => (control === '\n' || control === '\t' ? control : written(control)));

/** JSON that holds no such character: they are escaped as JSON has it, so its value stays the same. */
export const printableJson = (json: string): string =>
  json.replaceAll(CONTROLS, (control) => `\\u${hex(control, 4)}`);

const written = (control: string): string =>
  control <= '\xff' ? `\\x${hex(control, 2)}` : `\\u${hex(control, 4)}`;

const hex = (character: string, digits: number): string =>
  character.charCodeAt(0).toString(16).padStart(digits, '0');
