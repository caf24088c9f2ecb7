import { basename } from 'node:path/posix';
import type { FilestoreEntry } from '../backup-reader/filestore.ts';
import type { RestoreSource } from '../backup-reader/open.ts';
import { receiveFiles } from '../host/receive-files.ts';
import type { IncomingFile } from '../host/tar-writer.ts';
import { removeDerivedFolder } from '../odoo/folder-swap.ts';
import { copyFiles, stageFilestore } from '../odoo/staging.ts';
import type { Progress } from '../platform/progress.ts';
import { formatBytes, formatCounted } from '../util/format.ts';
import { commandByHand } from './by-hand.ts';
import { filesOf } from './facts.ts';
import type { Step } from './plan.ts';
import type { FilestoreWork, Work } from './work.ts';

const NONE = { files: 0, bytes: 0 };

/** Builds the new filestore: of what the host has, and of what is fetched. */
export function stageStep({ source, target, findings, platform }: Work, filestore: FilestoreWork): Step {
  const { live, wanted, swap, staged } = filestore;
  const { missing, copied } = findings.difference ?? { missing: NONE, copied: NONE };
  const { neighbour } = findings;
  const linked = wanted.size - missing.files - copied.files;
  return {
    name: 'filestore',
    title: `Build the filestore: ${formatCounted(wanted.size, 'file')}, ${formatBytes(wanted.bytes)}`,
    details: [
      `in ${swap.new}, owned by ${live.owner}`,
      ...(linked > 0 || !neighbour
        ? [`hard links to what the host has, if its SHA-1 is right: ${formatCounted(linked, 'file')}`]
        : []),
      ...(neighbour ? [`copied from ${neighbour.path}, if the SHA-1 is right: ${filesOf(copied)}`] : []),
      `fetched from the archive: ${filesOf(missing)}`,
    ],
    bytes: missing.bytes,
    async run(signal, progress) {
      const { cores } = target.installation.tools;
      const { linked, missing } = await stageFilestore(live, swap.new, wanted, { cores, signal });
      const had = neighbour && (await copyFiles(neighbour, staged, { wanted, missing }, { cores, signal }));
      const fetched = had ? missing.without(had) : missing;
      if (fetched.count > 0) {
        await receiveFiles(staged, incoming(source, wanted.values(fetched), progress), signal);
      }
      const also = had && had.count > 0 ? `, ${had.count} copied` : '';
      platform.info(`${formatCounted(linked.count, 'file')} linked${also}, ${fetched.count} fetched`);
    },
    undo: {
      title: `Remove the new filestore ${basename(swap.new)}`,
      run: () => removeDerivedFolder(live, swap.new),
      byHand: [commandByHand(live, ['rm', '-rf', '--', swap.new])],
    },
  };
}

async function* incoming(
  source: RestoreSource,
  files: Iterable<FilestoreEntry>,
  progress: Pick<Progress, 'add'>,
): AsyncGenerator<IncomingFile> {
  for await (const { file, content } of source.readFiles(files)) {
    progress.add(file.size);
    yield { name: file.name, size: file.size, content };
  }
}
