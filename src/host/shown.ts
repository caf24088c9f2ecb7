/** The start of a text of the host's, in quotes, on one line, and with nothing in it that a terminal would act on. */
export function shown(text: string): string {
  const start = text.trim().slice(0, 200);
  const quoted = JSON.stringify(start.length < text.trim().length ? `${start}…` : start);
  return quoted.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (control) => `\\u${(control.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
