import { makeBackup } from '../backup/make.ts';
import { openSource, type RestoreSource } from '../backup-reader/open.ts';
import { NoBackupYetError } from '../backup-reader/select.ts';
import { catalogFolder } from '../catalog/keys.ts';
import { openSigning } from '../catalog/signing-key.ts';
import { openReconnectingHost } from '../host/ssh/open-host.ts';
import type { DoctorInputs } from '../inputs/doctor.ts';
import type { RollbackInputs } from '../inputs/restore.ts';
import { openSite } from '../odoo/open-site.ts';
import { Phases } from '../platform/phases.ts';
import type { Platform } from '../platform/platform.ts';
import type { Run } from '../platform/run.ts';
import { missingRights } from '../postgres/rights.ts';
import { preflight } from '../restore/preflight/preflight.ts';
import { ofRollback, requestOf } from '../restore/request.ts';
import { findTarget, type Target } from '../restore/target.ts';
import { Store } from '../s3/store.ts';
import { UserError } from '../util/errors.ts';
import { formatCounted } from '../util/format.ts';
import { checklistSummary, type Item, missing, ready, unchecked } from './doctor-summary.ts';
import { lookingAtHost } from './logging-in.ts';

/** The phases of a backup's dry run, as lines of the checklist. */
const backupItems = {
  connect: 'Log in to the host',
  host: 'Find and read Odoo, PostgreSQL and the filestore',
  snapshot: 'Read the whole database',
} as const;

/**
 * Checks a set-up without changing anything: a dry run of a backup, then the checks of a rollback. It prints a
 * checklist, and for what is missing the lines to add.
 *
 * @throws UserError when something is missing; the signal's reason when that is aborted
 */
export async function doctor(inputs: DoctorInputs, run: Run): Promise<void> {
  const { platform, signal } = run;
  using store = new Store(inputs.backup.s3, signal, platform);
  const found: Item[] = [];
  for (const part of [checkBucket, checkBackup, checkRollback]) {
    found.push(...(await part(inputs, store, run, found)));
    signal.throwIfAborted(); // of which a check makes an item as of everything
  }
  const { database = 'Odoo' } = inputs.backup.odoo;
  platform.output('json', JSON.stringify(found));
  await platform.summary(checklistSummary(found, database));
  const lacking = found.filter(({ state }) => state === 'missing').length;
  if (lacking === 0) return;
  throw new UserError(
    `${lacking} of ${found.length} checks found something missing`,
    'Nothing was changed. Do what the checklist says, then run doctor again.',
  );
}

async function checkBucket({ backup }: DoctorInputs, store: Store, { platform }: Run): Promise<Item[]> {
  const folder = catalogFolder(backup.s3.prefix, backup.s3.customer);
  const name = 'Reach the bucket';
  return platform
    .group(`Check the bucket: ${store.uri(folder)}`, () => store.check(folder))
    .then(
      () => [ready(name, store.uri(folder))],
      (error: unknown) => [missing(name, error)],
    );
}

/** Each phase of the dry run that has ended is a line; the one that has failed says why. */
async function checkBackup({ backup }: DoctorInputs, store: Store, run: Run): Promise<Item[]> {
  const phases = new Phases(run.platform);
  const failure = await openSigning(backup.signing, run.platform)
    .then((signing) => {
      const on = { onHost: () => {}, looking: lookingAtHost(backup, run) };
      return makeBackup(backup, { store, signing }, { ...run, phases }, on);
    })
    .then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
  const begun = new Map(phases.spans.map(({ name, title }) => [name, title]));
  const last = [...begun.keys()].at(-1);
  const found = Object.entries(backupItems).map(([phase, name]) => {
    const title = begun.get(phase);
    if (title === undefined) return unchecked(name);
    return failure && last === phase ? missing(name, failure.error) : ready(name, title);
  });
  const whole = 'Make a backup';
  if (found.some(({ state }) => state === 'missing')) return [...found, unchecked(whole)];
  return [...found, failure ? missing(whole, failure.error) : ready(whole, 'everything is in place')];
}

const items = {
  stop: 'Stop and start Odoo',
  create: 'Create and rename databases',
  backup: 'Have a backup to go back to',
  rollback: 'Make a rollback',
} as const;

async function checkRollback(
  { rollback }: DoctorInputs,
  store: Store,
  run: Run,
  before: readonly Item[],
): Promise<Item[]> {
  if (!rollback) {
    const hint =
      'Set services to the systemd units that run Odoo (or stop-command and start-command, or compose-odoo-service). Only rollbacks need them.';
    const others = [items.create, items.backup, items.rollback].map(unchecked);
    return [missing(items.stop, new UserError('services: is not set', hint)), ...others];
  }
  const isFound = before.some(({ name, state }) => name === backupItems.host && state === 'ready');
  if (!isFound) return [items.stop, items.create, items.backup, items.rollback].map(unchecked);
  const { platform, signal } = run;
  return platform.group('What a rollback needs', async () => {
    await using host = await openReconnectingHost(rollback.ssh, platform, signal);
    const { database } = rollback.odoo;
    const secret = (password: string) => platform.secret(password);
    let target: Target;
    try {
      target = await findTarget(await openSite(host, rollback), rollback, database, { secret });
    } catch (error) {
      return [missing(items.create, error), ...[items.stop, items.backup, items.rollback].map(unchecked)];
    }
    const told = [...(await checkServices(target)), ...(await checkRights(target))];
    return [...told, ...(await checkWithBackup(rollback, { target, store }, platform, told))];
  });
}

async function checkServices({ services }: Target): Promise<Item[]> {
  const problems = (await services?.problems().catch((error: unknown) => [error])) ?? [];
  if (problems.length > 0) return problems.map((problem) => missing(items.stop, problem));
  const commands = [...(services?.stopCommands ?? []), ...(services?.startCommands ?? [])];
  return [ready(items.stop, commands.join(', '))];
}

async function checkRights({ admin, current, postgres, database }: Target): Promise<Item[]> {
  try {
    const lacking = await missingRights(admin, current?.owner ?? postgres.role, database);
    const hint = 'Or name a role that has these rights in db-admin-user.';
    if (lacking.length === 0) return [ready(items.create, `as ${admin.role}`)];
    return lacking.map((right) => missing(items.create, new UserError(right, hint)));
  } catch (error) {
    return [missing(items.create, error)];
  }
}

/** What a rollback changes, and the bucket that it reads from. */
interface RollbackEnds {
  readonly target: Target;
  readonly store: Store;
}

/** The checks of a rollback to the latest backup, where there is one. */
async function checkWithBackup(
  inputs: RollbackInputs,
  { target, store }: RollbackEnds,
  platform: Platform,
  told: readonly Item[],
): Promise<Item[]> {
  const { s3, backup, allowUnverified, signers, identities } = inputs;
  const which = { customer: s3.customer, backup, database: target.database, allowUnverified, signers };
  let source: RestoreSource;
  try {
    source = await openSource(store, which, identities);
  } catch (error) {
    const found = missing(items.backup, error);
    const isYetToCome = error instanceof NoBackupYetError;
    return [isYetToCome ? { ...found, state: 'later' } : found, unchecked(items.rollback)];
  }
  const there = ready(items.backup, source.uri);
  return preflight(source, target, requestOf(inputs, ofRollback(target.database), platform)).then(
    ({ problems, passed }) => {
      const others = problems.filter(({ message }) => !told.some(({ found }) => found === message));
      if (others.length === 0)
        return [there, ready(items.rollback, `${formatCounted(passed.length, 'check')} passed`)];
      return [
        there,
        ...others.map(({ message, hint }) => missing(items.rollback, new UserError(message, hint))),
      ];
    },
    (error: unknown) => [there, missing(items.rollback, error)],
  );
}
