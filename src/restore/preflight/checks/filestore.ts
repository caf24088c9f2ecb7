import { dirname } from 'node:path/posix';
import { type Check, problem } from '../check.ts';

/** Either both, the backup and the host, have a filestore, or there is something to tell. */
export const isFilestoreRestored: Check = ({ source, target }) => {
  if (target.filestore && !source.filestore) {
    return { warnings: ['The backup is of the database alone: the filestore stays as it is'] };
  }
  if (!target.filestore && source.filestore) {
    return { warnings: ['filestore: false: the attachments of the backup stay where they are'] };
  }
  return {};
};

export const mayFilestoreBeRenamed: Check = ({
  source,
  target: { filestore },
  request,
  isFilestoreMount,
}) => {
  if (request.beside || !filestore?.exists || !source.filestore || !isFilestoreMount) return {};
  return problem(
    `filestore: ${filestore.path} is a mount of its own, which cannot be renamed: the new filestore could not take its place`,
    `Mount the folder above it instead, ${dirname(filestore.path)}, with the filestore as a folder in it; or set filestore: false, and the database alone is put back.`,
  );
};

export const hasSpace: Check = ({ space }) => ({ problems: space.problems });
