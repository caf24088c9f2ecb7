/**
 * Lines of what a program prints, whatever it is. A line that is too long is cut, and the rest of it is passed over: no
 * program can fill the memory, or end its own reading.
 *
 * @param longest characters of a line
 */
export async function* printedLines(stream: AsyncIterable<Buffer>, longest: number): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let line = '';
  for await (const chunk of stream) {
    const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n');
    line = (line + first.slice(0, longest)).slice(0, longest);
    for (const next of others) {
      yield line;
      line = next.slice(0, longest);
    }
  }
  if (line !== '') yield line;
}
