/** A text of any origin in a diagram: of what Mermaid would not take for text, such as a colon or a quote, a space is left. */
export function mermaidText(text: string): string {
  const words = text
    .replaceAll(/[^\p{L}\p{N} .,_/()→·–-]+/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return (words.length > 60 ? `${words.slice(0, 59)}…` : words) || '–';
}
