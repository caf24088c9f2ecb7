/**
 * The patterns that ssh_config(5) has, separated by commas: `*` and `?`; one that starts with `!` and matches rules the
 * name out, whatever else matches.
 */
export function sshPatterns(list: string): (name: string) => boolean {
  const patterns = list.split(',');
  const negated = patterns
    .filter((pattern) => pattern.startsWith('!'))
    .map((pattern) => glob(pattern.slice(1)));
  const positive = patterns.filter((pattern) => !pattern.startsWith('!')).map(glob);
  return (name) => positive.some((one) => one.test(name)) && !negated.some((one) => one.test(name));
}

function glob(pattern: string): RegExp {
  const source = pattern
    .replace(/[\\^$.+()|[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}
