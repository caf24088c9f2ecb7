import { getExecOutput } from '@actions/exec';
import { type LocalAccount, LocalHost } from '../../../host/local-host.ts';
import { UserError } from '../../../util/errors.ts';

/** Accounts of little power that machines have: PostgreSQL's own, where its package is installed. */
const HUMBLE = ['postgres', 'nobody'];

/**
 * The runner, as an account that is not root: PostgreSQL's server refuses to run as root, and code that comes from a
 * dump should not either.
 *
 * @throws UserError where we are root and there is nobody else
 */
export async function openRunner(): Promise<LocalHost> {
  if (process.getuid?.() !== 0) return new LocalHost();
  for (const name of HUMBLE) {
    const account = await lookUp(name);
    if (account) return new LocalHost(account);
  }
  throw new UserError(
    `restore-test: this runs as root, and a PostgreSQL server does not start as root, and there is no account ${HUMBLE.join(' or ')}`,
    'Create one: useradd --system postgres.',
  );
}

async function lookUp(name: string): Promise<LocalAccount | undefined> {
  const id = async (flag: string): Promise<number> => {
    const { exitCode, stdout } = await getExecOutput('id', [flag, name], {
      silent: true,
      ignoreReturnCode: true,
    });
    return exitCode === 0 ? Number(stdout) : Number.NaN;
  };
  const [uid, gid] = await Promise.all([id('-u'), id('-g')]);
  return uid > 0 && gid > 0 ? { name, uid, gid } : undefined;
}
