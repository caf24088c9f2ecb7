/**
 * What steers a terminal, a log or a reader's eye instead of being read: C0 and C1 controls, DEL, the line and
 * paragraph separators of Unicode, and the controls of writing direction (https://trojansource.codes/).
 */
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * A text of any origin as it may be shown: lines are separated by `\n`, and every control but that and the tab stands
 * there as what it is, `\x1b` or `\u202e`.
 */
export const printable = (text: string): string =>
  text.replaceAll('\r\n', '\n').replaceAll(CONTROLS, written);

/** JSON that holds no such character: they are escaped as JSON has it, so its value stays the same. */
export const printableJson = (json: string): string =>
  json.replaceAll(CONTROLS, (control) => `\\u${hex(control, 4)}`);

/** Whether a text is one line that needs no escaping. */
export const isPrintableLine = (text: string): boolean => text.search(CONTROLS) < 0 && !/[\n\t]/.test(text);

const written = (control: string): string =>
  control <= '\xff' ? `\\x${hex(control, 2)}` : `\\u${hex(control, 4)}`;

const hex = (character: string, digits: number): string =>
  character.charCodeAt(0).toString(16).padStart(digits, '0');
