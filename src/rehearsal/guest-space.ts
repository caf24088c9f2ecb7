import { fileSystemOf } from '../host/disk-space.ts';
import { mountedAt } from '../postgres/disk-space.ts';
import { SpaceGoneError, whileSpaceLasts } from '../restore/space-watch.ts';
import { UserError } from '../util/errors.ts';
import type { Copy } from './copy.ts';

/**
 * Lets programs work on a copy for as long as they leave room: a migration may write as much as it likes, and the database
 * in use needs the same disk.
 *
 * @param body ends early, with the signal's reason, when that is aborted
 * @throws UserError when too little is left
 */
export async function whileGuestFits<T>(
  {
    disks,
    filestore,
    target,
    login,
  }: Pick<Copy, 'disks' | 'filestore' | 'login'> & {
    readonly target: Pick<Copy['target'], 'filestore'>;
  },
  signal: AbortSignal,
  body: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const folder = filestore ?? target.filestore;
  const look = async (mount: string) => {
    const ofFiles = folder && (await fileSystemOf(folder));
    return ofFiles?.mount === mount ? ofFiles : mountedAt(login, mount);
  };
  try {
    return await whileSpaceLasts(disks, look, signal, body);
  } catch (error) {
    if (!(error instanceof SpaceGoneError)) throw error;
    throw new UserError(
      `The rehearsal needs more space than there is: ${error.where}`,
      'It was ended, so that the database in use does not run out of space. Free space on the host, or rehearse on another one.',
      { cause: error },
    );
  }
}
