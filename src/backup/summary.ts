import { shortened } from '../catalog/entries.ts';
import { flawsOf, missingFiles } from '../catalog/flaws.ts';
import { receiptKey } from '../catalog/keys.ts';
import { levelOf, looksOf, pinOf, recoverySeconds, restoreSeconds } from '../catalog/proofs.ts';
import type { Receipt } from '../catalog/receipt.ts';
import { signedWith } from '../catalog/signatures.ts';
import { sealedWords } from '../catalog/words.ts';
import { codeWords } from '../odoo/code/code.ts';
import type { PhaseSpan } from '../platform/phases.ts';
import { type Block, code, type Summary, type Text } from '../report/summary.ts';
import { formatBytes, formatCounted, formatDuration, formatNames } from '../util/format.ts';

const secondsOf = ({ startedAt, finishedAt }: Receipt): number =>
  (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;

const uriOf = ({ bucket, key }: Receipt): string => `s3://${bucket}/${key}`;

/** The outputs of a backup, by their names in action.yml. */
export function backupOutputs(receipt: Receipt): Record<string, string> {
  const { description: _, ...short } = shortened(receipt); // it may be longer than an output may be
  const seconds = recoverySeconds(receipt) ?? restoreSeconds(receipt);
  return {
    key: receipt.key,
    uri: uriOf(receipt),
    receipt: receiptKey(receipt.key),
    size: String(receipt.size),
    duration: secondsOf(receipt).toFixed(1),
    database: receipt.database,
    'odoo-version': receipt.odoo?.version ?? '',
    verified: levelOf(receipt) ?? '',
    ...(seconds === undefined ? {} : { 'restore-seconds': String(seconds) }),
    'missing-files': String(missingFiles(receipt)),
    'bytes-sent': String(receipt.bytesSent),
    json: JSON.stringify(short),
  };
}

/**
 * What a person reads in ten seconds.
 *
 * @param retention what has become of older backups; undefined: they were left alone
 * @param spans what ran when
 */
export function backupSummary(
  receipt: Receipt,
  retention?: string,
  spans: readonly PhaseSpan[] = [],
): Summary {
  const flaws = flawsOf(receipt);
  return {
    outcome: flaws.length === 0 ? 'done' : 'flawed',
    title: [`${receipt.database} is backed up`, ...flaws].join(', '),
    blocks: [
      {
        kind: 'facts',
        rows: [
          [
            'Database',
            [code(receipt.database), `, ${odooOf(receipt)}, PostgreSQL ${receipt.postgres.server}`],
          ],
          ['Archive', code(uriOf(receipt))],
          ['Size', `${formatBytes(receipt.size)}, format ${receipt.format}${sentOf(receipt)}`],
          ['Attachments', attachmentsOf(receipt)],
          ['Verified', verifiedOf(receipt)],
          ...codeRow(receipt),
          ...(receipt.signature === undefined ? [] : ([['Signed', `with ${signedWith(receipt)}`]] as const)),
          ...(receipt.sealed ? ([['Sealed', sealedWords(receipt)]] as const) : []),
          ...(pinOf(receipt) === undefined ? [] : ([['Pinned', pinOf(receipt) ?? '']] as const)),
          ...(retention === undefined ? [] : ([['Retention', retention]] as const)),
          ['Time', formatDuration(secondsOf(receipt) * 1000)],
        ],
      },
      ...waterfallOf(receipt, spans),
    ],
  };
}

/** The code that ran, as far as it could be seen. */
function codeRow({ code: found }: Receipt): [string, string][] {
  const words = found ? codeWords(found) : [];
  return words.length === 0 ? [] : [['Code', formatNames(words, 5)]];
}

const sentOf = ({ upload: { copied }, bytesSent }: Receipt): string =>
  copied ? `: ${formatBytes(bytesSent)} sent, ${formatBytes(copied.bytes)} copied by S3` : '';

const odooOf = ({ odoo }: Receipt): string =>
  odoo ? `Odoo ${odoo.version} with ${formatCounted(odoo.modules, 'module')}` : 'no Odoo';

/** What the closest look has found. */
function verifiedOf(receipt: Receipt): string {
  const level = levelOf(receipt);
  const took = formatDuration(
    (looksOf(receipt).findLast((proof) => proof.level === level)?.seconds ?? 0) * 1000,
  );
  if (level === 'contents') return `contents: every byte read back and checked, in ${took}`;
  if (level === 'restore') return `restore: restored in ${took}, and compared`;
  if (level === 'boot') return `boot: restored and compared; from the archive to Odoo’s answer in ${took}`;
  return uploadOf(receipt);
}

/**
 * What the proof `upload` says of this object: a bare dump has no directory, and under SSE-KMS no server reports MD5s.
 */
function uploadOf({ directory, upload }: Receipt): string {
  const parts = upload.proof === 'md5' ? 'MD5 of every part' : 'every part sent with its MD5';
  return directory
    ? `upload: size, ${parts}, and the archive’s directory read back`
    : `upload: size and ${parts}`;
}

function attachmentsOf({ filestore }: Receipt): Text {
  if (!filestore) return 'not part of this backup';
  const flaws = (['missing', 'lost', 'corrupt', 'skipped'] as const).filter(
    (flaw) => (filestore[flaw] ?? 0) > 0,
  );
  const detail = flaws.map((flaw) => `${filestore[flaw]} ${flaw}`).join(', ');
  const files = `${formatCounted(filestore.files, 'file')}, ${formatBytes(filestore.bytes)}`;
  return detail === '' ? files : [`${files}; ${detail}: see `, code('backup.json'), ' in the archive'];
}

function waterfallOf({ database }: Receipt, spans: readonly PhaseSpan[]): Block[] {
  if (spans.length === 0) return [];
  const sorted = spans.toSorted((a, b) => a.startMs - b.startMs);
  const end = Math.max(...sorted.map(({ startMs, ms }) => startMs + ms));
  const bars = sorted.map(({ title, startMs, ms }) => ({
    name: title.replace(/( to| of)?( s3:\/\/.*| \S+@.*|: .*)$/s, ''),
    state: 'Odoo runs',
    startMs,
    ms,
  }));
  return [
    { kind: 'waterfall', title: `Backup of ${database}: ${formatDuration(end)}, while Odoo runs`, bars },
  ];
}
