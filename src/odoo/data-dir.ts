import { normalize } from 'node:path/posix';

/**
 * The folders that a data_dir of odoo.conf may mean. Odoo expands variables, then the home folder
 * (`os.path.expanduser(os.path.expandvars(…))`), with the environment of the account that runs it. Variables that such
 * an environment need not have stay as they are, as Python leaves those that are not set.
 *
 * @param homes home folders by account, the likeliest account first
 * @returns an empty list where it is not an absolute path
 */
export function expandDataDir(value: string, homes: ReadonlyMap<string, string>): string[] {
  const each = [...homes].map(([account, home]) => {
    const variables = new Map([
      ['HOME', home],
      ['USER', account],
      ['LOGNAME', account],
    ]);
    const expanded = value.replace(
      /\$(?:(\w+)|\{([^}]*)\})/g,
      (all, plain?: string, braced?: string) => variables.get(plain ?? braced ?? '') ?? all,
    );
    return expanded.replace(/^~([^/]*)/, (all, named: string) =>
      named === '' ? home : (homes.get(named) ?? all),
    );
  });
  const folders = (each.length === 0 ? [value] : each).filter((folder) => folder.startsWith('/'));
  return [...new Set(folders.map(cleaned))];
}

/** Without a slash at its end. */
const cleaned = (folder: string): string => normalize(folder).replace(/(?<=.)\/$/, '');
