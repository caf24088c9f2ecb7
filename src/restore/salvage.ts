import { smallZip } from '../archive/small-zip.ts';
import { catalogFolder } from '../catalog/keys.ts';
import { within } from '../host/limits.ts';
import { type Salvage, salvage } from '../odoo/salvage.ts';
import { timestampOf } from '../postgres/derived-names.ts';
import { Snapshot } from '../postgres/snapshot.ts';
import { htmlOf } from '../report/html.ts';
import { code, type Summary } from '../report/summary.ts';
import type { Store } from '../s3/store.ts';
import { readRecipients } from '../sealing/recipients.ts';
import { sealWhole } from '../sealing/stream.ts';
import { messageOf } from '../util/errors.ts';
import { formatBytes, formatCount, formatCounted, formatInstant } from '../util/format.ts';
import type { Step } from './plan.ts';
import type { Work } from './work.ts';

/** How long Odoo may be away for it. */
const LIMIT_MS = 60_000;

/** The steps of `salvage`: what is read while Odoo is stopped, and what is stored once it runs again. */
export interface SalvageSteps {
  readonly read: readonly Step[];
  readonly store: readonly Step[];
}

/** Reads what was entered since the backup out of the database that is replaced, and stores it beside the archive. */
export function salvageSteps(work: Work, store: Store, customer: string): SalvageSteps {
  const { request, databases, source } = work;
  const since = source.createdAt;
  if (!request.salvage || databases.old === undefined || since === undefined) return { read: [], store: [] };
  let found: Salvage | undefined;
  let failure: unknown;
  const key = salvageKey(work, store, customer);
  const read: Step = {
    name: 'salvage',
    title: 'Read what was entered since the backup',
    details: [`from ${databases.current}, as Odoo's import takes it, within ${LIMIT_MS / 1000} s`],
    unbroken: true,
    async run() {
      try {
        found = await readSalvage(work, since);
      } catch (error) {
        // A database that cannot be read is what a rollback is for: it goes on without.
        failure = error;
        work.platform.warning(`Nothing is salvaged: ${messageOf(error)}`);
        work.leftOut.push(`what was entered since the backup: ${messageOf(error)}`);
      }
    },
  };
  const keep: Step = {
    name: 'salvage',
    title: 'Store what was salvaged',
    details: [store.uri(key)],
    guards: true,
    async run() {
      if (!found) throw new Error(`what is replaced is the only copy, and stays: ${messageOf(failure)}`);
      const { platform } = work;
      if (found.models.length === 0) {
        assertWhole(found);
        return platform.info('Nothing was entered that could be salvaged');
      }
      const zip = await smallZip(filesOf(found, work, since));
      const { encryptTo } = request;
      const file = encryptTo ? await sealWhole(zip, await readRecipients(encryptTo)) : zip;
      await store.putFile(key, file, encryptTo ? 'application/octet-stream' : 'application/zip');
      platform.info(`${store.uri(key)}: ${recordsOf(found)}, ${formatBytes(file.length)}`);
      assertWhole(found);
    },
  };
  return { read: [read], store: [keep] };
}

/** @throws Error where something is in what was replaced alone, which then stays */
function assertWhole({ leftOut }: Salvage): void {
  if (leftOut.length === 0) return;
  throw new Error(
    `not all could be salvaged, and what is replaced has the rest, and stays: ${leftOut.join('; ')}`,
  );
}

/** `shop_2026-11-21_03-22-59_salvage.zip`, sealed `….age`: no name of a backup, so that no rule touches it. */
function salvageKey({ startedAt, target, request }: Work, store: Store, customer: string): string {
  const stamp = timestampOf(startedAt).replace(
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/,
    '$1-$2-$3_$4-$5-$6',
  );
  return `${catalogFolder(store.options.prefix, customer)}${target.database}_${stamp}_salvage.zip${request.encryptTo ? '.age' : ''}`;
}

/** @throws whatever kept it from being read */
function readSalvage({ target, databases, platform }: Work, since: Date): Promise<Salvage> {
  const { postgres } = target;
  return within(AbortSignal.timeout(LIMIT_MS), async () => {
    await using snapshot = await Snapshot.open(postgres, databases.current, LIMIT_MS);
    if (snapshot.onlyCopies) {
      throw new Error(`${postgres.login} is a superuser, and does not query what others own`);
    }
    const found = await salvage(snapshot, since);
    platform.info(recordsOf(found));
    return found;
  });
}

const recordsOf = ({ models }: Salvage): string => {
  const records = models.reduce((sum, each) => sum + each.records, 0);
  return `${formatCounted(records, 'record')} of ${formatCounted(models.length, 'model')}`;
};

function filesOf(found: Salvage, work: Work, since: Date): Map<string, string> {
  const named = found.models.map((each, i) => [fileName(i + 1, each.model), each] as const);
  const { references } = found;
  const external = references === undefined ? [] : [[fileName(0, 'ir.model.data'), references] as const];
  const files = new Map<string, string>(external);
  for (const [name, { csv }] of named) files.set(name, csv);
  const page: Summary = {
    outcome: found.leftOut.length === 0 ? 'done' : 'flawed',
    title: `Entered into ${work.target.database} since ${formatInstant(since)}, and not in it any more`,
    blocks: [
      {
        kind: 'note',
        text: 'Import them in this order in Odoo (developer mode; Favorites, Import records, in the list of each model). A file for External Identifiers names records that the others refer to. Look through each file first: what was entered twice, or must not come back, is for you to delete. Some records Odoo makes itself together with others, such as the variant of a product or the attendees of a meeting: where the import says that such a one is there already, leave it out.',
      },
      {
        kind: 'table',
        columns: [{ name: 'File' }, { name: 'What' }, { name: 'Model' }, { name: 'Records', align: 'right' }],
        rows: [
          ...external.map(([name]) => [code(name), 'External Identifiers', 'ir.model.data', '']),
          ...named.map(([name, { label, model, records }]) => [
            code(name),
            label,
            model,
            formatCount(records),
          ]),
        ],
      },
      ...named.flatMap(([name, { formulas }]) => (formulas === 0 ? [] : [formulaNote(name, formulas)])),
      ...found.leftOut.map((what) => ({ kind: 'note' as const, text: `Not salvaged: ${what}.` })),
    ],
  };
  files.set('index.html', htmlOf('Salvaged', [page]));
  return files;
}

/** They are as they were entered: a mark before them would become a part of what is imported. */
const formulaNote = (name: string, formulas: number) =>
  ({
    kind: 'note',
    text: `${name} has ${formatCounted(formulas, 'cell')} that a spreadsheet would take for a formula, and carry out. Look at it with a text editor, or load its columns as text.`,
  }) as const;

const fileName = (place: number, model: string): string =>
  `${String(place).padStart(3, '0')}_${model.replace(/[^\w.-]/g, '_')}.csv`;
