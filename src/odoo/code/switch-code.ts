import { detached } from '../../host/detached.ts';
import type { Host } from '../../host/host.ts';
import { runService } from '../services.ts';
import type { RunningCode } from './code.ts';

/** The shell command of the input `code-command`. */
export interface CodeCommand {
  readonly shell: string;
  /** The account of the host that it runs as; undefined: the one that logged in. */
  readonly user: string | undefined;
}

/** Both what there is to go back to, and what takes it back. */
export interface CodeSwitch {
  readonly before: RunningCode;
  readonly now: RunningCode;
}

/**
 * What both have, so that there is a way back: a name that only a backup knows might be any folder of the host.
 */
export function switchOf(before: RunningCode, now: RunningCode): CodeSwitch {
  const both = <T>(of: readonly T[], others: readonly T[], name: (item: T) => string): T[] => {
    const names = new Set(others.map(name));
    return of.filter((item) => names.has(name(item)));
  };
  const common = (code: RunningCode, other: RunningCode): RunningCode => ({
    checkouts: both(code.checkouts, other.checkouts, ({ path }) => path),
    images: both(code.images, other.images, ({ service }) => service),
    packages: Object.fromEntries(
      both(Object.entries(code.packages), Object.entries(other.packages), ([name]) => name),
    ),
  });
  return { before: common(before, now), now: common(now, before) };
}

export const isEmpty = ({ checkouts, images, packages }: RunningCode): boolean =>
  checkouts.length === 0 && images.length === 0 && Object.keys(packages).length === 0;

/** The environment of `code-command`: a line for each part, its fields separated by tabs. */
export function codeEnvironment(code: RunningCode, direction: 'back' | 'undo'): Record<string, string> {
  const lines = (rows: readonly (readonly (string | undefined)[])[]) =>
    rows.map((row) => row.map((field) => field ?? '').join('\t')).join('\n');
  return {
    ODOO_CODE_DIRECTION: direction,
    ODOO_CODE_CHECKOUTS: lines(code.checkouts.map(({ path, commit, branch }) => [path, commit, branch])),
    ODOO_CODE_IMAGES: lines(
      code.images.map(({ service, image, id, digest }) => [service, image, id, digest]),
    ),
    ODOO_CODE_PACKAGES: lines(Object.entries(code.packages)),
  };
}

/** Calls the command. @throws UserError with what it said, where it fails */
export async function switchCode(
  host: Host,
  { shell, user }: CodeCommand,
  code: RunningCode,
  direction: 'back' | 'undo',
): Promise<void> {
  const command = { ...detached(shell), as: user, env: codeEnvironment(code, direction) };
  await runService(host, command, shell, 'It is the input code-command: try it on the host by hand.');
}

/** What of `wanted` is not so in `found`, in words. A package of a container that is stopped cannot be seen. */
export function differsFrom(wanted: RunningCode, found: RunningCode): string[] {
  const commits = new Map(found.checkouts.map(({ path, commit }) => [path, commit]));
  const images = new Map(found.images.map(({ service, id }) => [service, id]));
  return [
    ...wanted.checkouts.flatMap(({ path, commit }) => (commits.get(path) === commit ? [] : [path])),
    ...wanted.images.flatMap(({ service, id }) =>
      images.get(service) === id ? [] : [`the service ${service}`],
    ),
    ...Object.entries(wanted.packages).flatMap(([name, version]) =>
      (found.packages[name] ?? version) === version ? [] : [`the package ${name}`],
    ),
  ];
}
