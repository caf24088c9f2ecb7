import type { Receipt } from '../catalog/receipt.ts';
import { sealedWords } from '../catalog/words.ts';
import { code, type Summary } from '../report/summary.ts';
import { formatBytes, formatCounted } from '../util/format.ts';
import { type FetchRequest, requestWords } from './request.ts';
import type { FetchedFile } from './write.ts';

/** Files that a summary lists. */
const LISTED = 100;

/** What a person reads in ten seconds. */
export function fetchSummary(
  uri: string,
  receipt: Receipt | undefined,
  request: FetchRequest,
  files: readonly FetchedFile[],
): Summary {
  const size = files.reduce((sum, each) => sum + each.size, 0);
  const rows = files
    .slice(0, LISTED)
    .map(({ path, size, name = '' }) => [code(path ?? 'standard output'), formatBytes(size), name]);
  const hasNames = files.some(({ name }) => name !== undefined);
  return {
    outcome: receipt ? 'done' : 'flawed',
    title: `Fetched ${requestWords(request)}: ${formatCounted(files.length, 'file')}, ${formatBytes(size)}`,
    blocks: [
      {
        kind: 'facts',
        rows: [
          ['Backup', code(uri)],
          ...(receipt?.sealed ? ([['Sealed', sealedWords(receipt)]] as const) : []),
        ],
      },
      {
        kind: 'table',
        columns: [
          { name: 'File' },
          { name: 'Size', align: 'right' },
          ...(hasNames ? [{ name: 'Name' }] : []),
        ],
        rows: hasNames ? rows : rows.map((row) => row.slice(0, 2)),
      },
      ...(files.length > LISTED
        ? [{ kind: 'note', text: `and ${formatCounted(files.length - LISTED, 'other file')}` } as const]
        : []),
      ...(receipt ? [] : [{ kind: 'note', text: 'No receipt says that this backup was verified.' } as const]),
    ],
  };
}
