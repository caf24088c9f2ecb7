import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../test/support/processes.ts';
import type { Sandbox } from '../../test/support/sandbox.ts';

/** Makes the git checkout of an addon, as a deploy has left it. `addons` is a folder of the sandbox. */
export async function makeAddons({ account }: Sandbox, addons: string): Promise<void> {
  await mkdir(addons);
  await chown(addons, account.uid, account.gid);
  await git({ account }, addons, 'init', '-q', '-b', 'main');
  await commitAddon({ account }, addons, '1.0');
}

/** Commits and checks out a version of the addon. */
export async function commitAddon(
  { account }: Pick<Sandbox, 'account'>,
  addons: string,
  version: string,
): Promise<void> {
  const file = join(addons, '__manifest__.py');
  await writeFile(file, `{'name': 'Shop', 'version': '${version}', 'depends': ['sale']}\n`);
  await chown(file, account.uid, account.gid);
  await git({ account }, addons, 'add', '.');
  await git({ account }, addons, 'commit', '-q', '-m', `Shop ${version}`);
}

/** The newest commits, one line each. */
export const commits = (sandbox: Pick<Sandbox, 'account'>, addons: string): Promise<string> =>
  git(sandbox, addons, 'log', '--format=%h %s');

/** What is checked out. */
export const checkedOut = (sandbox: Pick<Sandbox, 'account'>, addons: string): Promise<string> =>
  git(sandbox, addons, 'log', '-1', '--format=%h %s');

async function git(
  { account }: Pick<Sandbox, 'account'>,
  addons: string,
  ...words: string[]
): Promise<string> {
  const author = ['-c', 'user.name=Team', '-c', 'user.email=team@example.com'];
  return (await run(['git', ...author, '-C', addons, ...words], { as: account })).trim();
}
