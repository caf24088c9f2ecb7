import { closeSync, fstatSync, lstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { messageOf, UserError } from '../../util/errors.ts';
import type { StandIn } from '../fields.ts';
import { inputsIn } from '../inventory/profiles.ts';
import { isMapping, parseYaml, type Value } from '../inventory/yaml.ts';
import type { InputName } from '../table.ts';

/** What the file of a working folder has for inputs that are not given. */
export interface ConfigFile {
  readonly path: string;
  /** What counts for every run. */
  find(name: InputName): StandIn | undefined;
  /** The environments, as the input `profiles` has them; undefined where the file has none. */
  readonly profiles: Value | undefined;
  /** What is wrong with it, one line each. */
  readonly problems: readonly string[];
}

export const configFileName = 'odoo-backup.yml';

/**
 * Reads `odoo-backup.yml` of the working folder, or the file that is named. A key with a value is an input of every run;
 * a key with keys below it is an environment.
 *
 * @returns undefined where none is named, and none is there
 * @throws UserError where it cannot be read, or somebody else could have written the one that was found
 */
export function readConfigFile(named: string | undefined): ConfigFile | undefined {
  const path = named ?? configFileName;
  const text = named === undefined ? readOwn(path) : read(path, path);
  if (text === undefined) return undefined;
  const content = parseYaml(text, path);
  if (!isMapping(content)) {
    throw new UserError(
      `${path}: is no mapping of inputs`,
      'Write one line for each, such as "s3-bucket: backups".',
    );
  }
  const [environments, inputs] = [new Map(), new Map()];
  for (const [key, value] of content) (isMapping(value) ? environments : inputs).set(key, value);
  const problems: string[] = [];
  const found = inputsIn(
    inputs,
    (key) => `${path}: ${key}`,
    (line) => problems.push(line),
  );
  return {
    path,
    find: (name) => {
      const value = found.get(name);
      return value ? { value, source: `${name} (of ${path})` } : undefined;
    },
    profiles: environments.size > 0 ? environments : undefined,
    problems,
  };
}

/**
 * Reads the file that is there. A folder such as /tmp may hold one that somebody else has put there: what is read is the
 * very file that was looked at.
 *
 * @returns undefined if there is no such file
 * @throws UserError where somebody else could have written it
 */
function readOwn(path: string): string | undefined {
  const link = lstatSync(path, { throwIfNoEntry: false });
  if (link === undefined) return undefined;
  const file = opened(path);
  try {
    for (const stats of [link, fstatSync(file)]) assertOwn(path, stats);
    return read(file, path);
  } finally {
    closeSync(file);
  }
}

function assertOwn(path: string, stats: Stats): void {
  const me = process.getuid?.();
  const isOurs = me === undefined || stats.uid === me || stats.uid === 0;
  const isOpen = me !== undefined && !stats.isSymbolicLink() && (stats.mode & 0o002) !== 0;
  if (isOurs && !isOpen) return;
  throw new UserError(
    `${path}: ${isOurs ? 'everybody on this machine may write to it' : 'it belongs to somebody else'}, so it is not read`,
    `Name it if it is meant: --config ${path}. Else work in another folder.`,
  );
}

const opened = (path: string): number => explained(path, () => openSync(path, 'r'));
const read = (file: string | number, path: string): string =>
  explained(path, () => readFileSync(file, 'utf8'));

function explained<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new UserError(`config: ${path} cannot be read: ${messageOf(cause)}`, 'Name a file that is there.', {
      cause,
    });
  }
}
