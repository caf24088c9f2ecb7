import { receiptKey } from '../catalog/keys.ts';
import {
  failedProof,
  type Level,
  levelOf,
  looksOf,
  type Proof,
  recoverySeconds,
  restoreSeconds,
  unrestorableProof,
} from '../catalog/proofs.ts';
import type { Receipt } from '../catalog/receipt.ts';
import { type Block, code, type Summary } from '../report/summary.ts';
import type { Store } from '../s3/store.ts';
import { formatBytes, formatCounted, formatDuration } from '../util/format.ts';

/** The outputs, by their names in action.yml: those of the archive only where there is just one, and it has passed. */
export function verifyOutputs(store: Store, receipts: readonly Receipt[]): Record<string, string> {
  const [receipt, ...others] = receipts;
  if (!receipt || others.length > 0 || failedProof(receipt) || unrestorableProof(receipt)) return {};
  const seconds = recoverySeconds(receipt) ?? restoreSeconds(receipt);
  return {
    key: receipt.key,
    uri: store.uri(receipt.key),
    receipt: receiptKey(receipt.key),
    size: String(receipt.size),
    database: receipt.database,
    'odoo-version': receipt.odoo?.version ?? '',
    verified: levelOf(receipt) ?? '',
    ...(seconds === undefined ? {} : { 'restore-seconds': String(seconds) }),
  };
}

/** What was found, for programs. */
export function verifiedJson(receipt: Receipt): object {
  const { at, seconds, programs } = newest(receipt) ?? {};
  return {
    database: receipt.database,
    key: receipt.key,
    size: receipt.size,
    sealedFor: receipt.sealed?.recipients ?? null,
    level: levelOf(receipt) ?? null,
    failure: failedProof(receipt)?.failure ?? null,
    ...(unrestorableProof(receipt) ? { unrestorable: unrestorableProof(receipt)?.failure } : {}),
    at,
    seconds: seconds ?? null,
    restoreSeconds: restoreSeconds(receipt) ?? null,
    recoverySeconds: recoverySeconds(receipt) ?? null,
    programs: programs ?? {},
  };
}

const newest = (receipt: Receipt): Proof | undefined => looksOf(receipt).at(-1);

const RATES = ['contents', 'restore', 'boot'] as const;

/** What a person reads in ten seconds. */
export function verifySummary(store: Store, level: Level, receipts: readonly Receipt[]): Summary {
  const failed = receipts.filter(failedProof);
  const unrestorable = receipts.filter((receipt) => !failedProof(receipt) && unrestorableProof(receipt));
  const passed = receipts.length - failed.length - unrestorable.length;
  return {
    outcome: failed.length + unrestorable.length > 0 ? 'failed' : 'done',
    title: [
      ...(passed > 0 ? [`${formatCounted(passed, 'archive')} verified: ${level}`] : []),
      ...(failed.length > 0 ? [`${formatCounted(failed.length, 'archive')} failed`] : []),
      ...(unrestorable.length > 0
        ? [`${formatCounted(unrestorable.length, 'database')} cannot be restored as it is`]
        : []),
    ].join(', '),
    blocks: [
      {
        kind: 'table',
        columns: [
          { name: 'Archive' },
          { name: 'Size', align: 'right' },
          { name: 'Verified' },
          { name: 'Time' },
        ],
        rows: receipts.map((receipt) => [
          code(receipt.key),
          formatBytes(receipt.size),
          levelOf(receipt) ?? 'failed',
          timeOf(receipt),
        ]),
      },
      ...failed.map(
        (receipt): Block => ({
          kind: 'note',
          text: [code(store.uri(receipt.key)), `: ${failedProof(receipt)?.failure}`],
        }),
      ),
      ...unrestorable.map(
        (receipt): Block => ({
          kind: 'note',
          text: [code(store.uri(receipt.key)), ` is whole. ${unrestorableProof(receipt)?.failure}`],
        }),
      ),
    ],
  };
}

/** Time that each level took in this run. */
function timeOf(receipt: Receipt): string {
  return RATES.flatMap((level) => {
    const proof = looksOf(receipt).findLast((each) => each.level === level);
    return proof?.seconds === undefined ? [] : `${level} ${formatDuration(proof.seconds * 1000)}`;
  }).join(', ');
}
