import { UserError } from '../../util/errors.ts';

const MOST = 10_000;

/** `www[01:50].example.com:2222`: the hosts that a name in an inventory stands for, and their port. */
export function expandHostName(pattern: string): { names: string[]; port: number | undefined } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(pattern); // an IPv6 address
  const [, name = pattern, port] = bracketed ?? /^((?:[^:[\]]|\[[^\]]*\])+):(\d+)$/.exec(pattern) ?? [];
  const names = bracketed && !/^[\da-zA-Z]*:[\da-zA-Z]+(:\d+)?$/.test(name) ? [name] : expandRanges(name);
  return { names, port: port === undefined ? undefined : Number(port) };
}

/** `[01:50]`, `[a:f]`, `[0:100:10]`: both ends belong to it; digits that begin with 0 keep their width. */
function expandRanges(pattern: string): string[] {
  const [whole, from = '', to = '', step = '1'] =
    /\[([\da-zA-Z]*):([\da-zA-Z]+)(?::(\d+))?\]/.exec(pattern) ?? [];
  if (whole === undefined) return [pattern];
  const at = pattern.indexOf(whole);
  const [head, tails] = [pattern.slice(0, at), expandRanges(pattern.slice(at + whole.length))];
  const items = /^[a-zA-Z]$/.test(from)
    ? letters(from, to, Number(step))
    : digits(from || '0', to, Number(step));
  if (items === undefined || items.length === 0 || items.length * tails.length > MOST) {
    throw new UserError(
      `'${pattern}' is not a range of hosts`,
      'Ansible writes them as www[01:50].example.com or db-[a:f], with at most 10,000 hosts here.',
    );
  }
  return items.flatMap((item) => tails.map((tail) => head + item + tail));
}

function digits(from: string, to: string, step: number): string[] | undefined {
  if (!/^\d+$/.test(from) || !/^\d+$/.test(to) || step < 1) return undefined;
  const width = from.startsWith('0') && from.length > 1 ? from.length : 0;
  if (width > 0 && to.length !== width) return undefined;
  return count(Number(from), Number(to), step).map((number) => String(number).padStart(width, '0'));
}

const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

function letters(from: string, to: string, step: number): string[] | undefined {
  if (to.length !== 1 || !alphabet.includes(to) || step < 1) return undefined;
  return count(alphabet.indexOf(from), alphabet.indexOf(to), step).map((index) => alphabet.charAt(index));
}

function count(from: number, to: number, step: number): number[] {
  const length = Math.min(Math.floor((to - from) / step) + 1, MOST + 1);
  return Array.from({ length: Math.max(0, length) }, (_, index) => from + index * step);
}
