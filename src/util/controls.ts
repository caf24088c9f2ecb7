/**
 * What no text from outside may hold: C0 and C1 controls, DEL, the separators of lines and paragraphs, and the controls of
 * writing direction, which make a line look like another one (https://trojansource.codes).
 */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Whether a text is well-formed Unicode without controls. */
export const isPrintable = (text: string): boolean => text.isWellFormed() && text.search(UNPRINTABLE) < 0;

/** A text with a replacement character for each control, so that it may stand anywhere. */
export const withoutControls = (text: string): string =>
  text.toWellFormed().replaceAll(UNPRINTABLE, '\ufffd');

/** A text between quotation marks, with an escape sequence for each control. */
export const quoted = (text: string): string =>
  JSON.stringify(text).replaceAll(
    UNPRINTABLE,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
