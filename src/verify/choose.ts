import type { Entry } from '../catalog/entries.ts';
import { whichIsMeant } from '../catalog/named-backup.ts';
import { looksOf } from '../catalog/proofs.ts';
import { type TrustedSigners, whyNotTrusted } from '../catalog/signatures.ts';
import type { Store } from '../s3/store.ts';
import { UserError } from '../util/errors.ts';

/** Which backups are verified. `latest` and `oldest` are of each database. */
export type Which =
  | { readonly kind: 'latest' }
  /** The backups whose newest proof is the oldest. */
  | { readonly kind: 'oldest'; readonly count: number }
  /** A key, an `s3://` URI, or the time of a key. */
  | { readonly kind: 'named'; readonly backup: string };

/** An archive with a receipt of its own, into which a proof can be written. */
export type Verifiable = Entry & {
  readonly receipt: NonNullable<Entry['receipt']>;
  readonly archive: NonNullable<Entry['archive']>;
};

/**
 * Chooses the archives to verify from those in the catalog. One that is named may have failed before.
 *
 * @param entries newest first
 * @throws UserError when the one that is named cannot be verified
 */
export function chooseEntries(
  store: Store,
  entries: readonly Entry[],
  which: Which,
  signers?: TrustedSigners,
): Verifiable[] {
  const isVerifiable = (entry: Entry): entry is Verifiable => canBeVerified(entry, signers);
  if (which.kind === 'named') {
    const named = entries.filter(whichIsMeant(store, which.backup));
    const unfit = named.find((entry) => !isVerifiable(entry));
    if (unfit) throw cannotBe(store, unfit);
    return named.filter(isVerifiable);
  }
  const sound = entries.filter(isVerifiable).filter(({ condition }) => condition.kind !== 'failed');
  const databases = [...Map.groupBy(sound, ({ database }) => database).values()];
  if (which.kind === 'latest') return databases.flatMap(([newest]) => newest ?? []);
  return databases.flatMap((own) =>
    own.toSorted((a, b) => lastProof(a).localeCompare(lastProof(b))).slice(0, which.count),
  );
}

/** ISO 8601, UTC. */
const lastProof = ({ receipt }: Verifiable): string => looksOf(receipt).at(-1)?.at ?? '';

/**
 * Whether an archive can be verified, also one of another size than its receipt says: its receipt then has to say that
 * it failed. What no trusted signer has signed is not looked at: a proof in it would count for nothing.
 */
function canBeVerified(entry: Entry, signers: TrustedSigners): entry is Verifiable {
  const { receipt, archive, receiptObject, key, database, authorship } = entry;
  if (authorship && whyNotTrusted(authorship, signers) !== undefined) return false;
  return Boolean(archive && receiptObject) && receipt?.key === key && receipt.database === database;
}

function cannotBe(store: Store, { key, archive, receipt, condition }: Entry): UserError {
  const why =
    archive === undefined
      ? 'there is a receipt, and no archive'
      : receipt === undefined || condition.kind === 'untrusted'
        ? 'why' in condition
          ? condition.why
          : 'it has no receipt'
        : `its receipt is for ${receipt.key}`;
  return new UserError(
    `${store.uri(key)} cannot be verified: ${why}`,
    'A verification is written into the receipt that the backup has made. The command list shows which ones have one.',
  );
}
