import { openSource, type RestoreSource } from '../backup-reader/open.ts';
import { catalogFolder } from '../catalog/keys.ts';
import type { Host } from '../host/host.ts';
import type { OdooServer } from '../odoo/installation.ts';
import { openSite } from '../odoo/open-site.ts';
import type { Platform } from '../platform/platform.ts';
import type { Run } from '../platform/run.ts';
import { acquireLock, type Lock } from '../postgres/lock.ts';
import { Store } from '../s3/store.ts';
import { type Ahead, ahead } from '../util/begun.ts';
import type { Cancellation } from '../util/cancellation.ts';
import { messageOf } from '../util/errors.ts';
import { formatCounted } from '../util/format.ts';
import { buildSteps } from './build-steps.ts';
import { factsOf, pairName, tellFindings, tellTarget, whichBackup } from './facts.ts';
import { fatesOf, howLong } from './leftovers/keeping.ts';
import { sweepCopies } from './leftovers/sweep.ts';
import type { PutBackOptions } from './options.ts';
import { OvertakenError, Ownership } from './ownership.ts';
import {
  describePlan,
  execute,
  lowerFirst,
  type Step,
  type StepFailure,
  StrandedError,
  UNDO_MEANING,
} from './plan.ts';
import { preflight } from './preflight/preflight.ts';
import { refuse } from './problem.ts';
import { requestOf, type Wish } from './request.ts';
import { type SalvageSteps, salvageSteps } from './salvage.ts';
import {
  failureSummary,
  outcomeOutputs,
  outcomeSummary,
  type RestoreOutcome,
  refusalSummary,
} from './summary.ts';
import { Downtime, swapSteps } from './swap-steps.ts';
import { findTarget, type Target } from './target.ts';
import { previousSteps, recoverStep, roomStep } from './tidy-steps.ts';
import { type Work, workOf } from './work.ts';

/** What a command asks for beside its inputs. */
interface PutBackRequest extends Wish {
  /** undefined: the one of the inputs, or of odoo.conf. */
  readonly target: string | undefined;
}

/** What a restore is given beside its run. */
interface Means {
  readonly cancellation: Cancellation;
  /** Gives the connection to the host, which is made again where it is lost. */
  readonly connect: () => Promise<Host>;
}

/**
 * Puts a backup back: finds it, checks everything, prints the plan; builds the new beside the old, swaps, and waits
 * until Odoo is healthy. What fails leaves everything as it was. A dry run ends with the plan.
 *
 * @throws UserError, or the signal's reason when that is aborted; a StrandedError when a person has to finish it
 */
export async function putBack(
  inputs: PutBackOptions,
  asked: PutBackRequest,
  run: Run,
  { cancellation, connect }: Means,
): Promise<void> {
  const { platform, phases, signal } = run;
  const { target: targetDatabase, ...wanted } = asked;
  const startedAt = new Date();
  const request = requestOf(inputs, wanted, platform);
  using store = new Store(inputs.s3, signal, platform);
  const open = (database: string | undefined) =>
    openSource(
      store,
      {
        customer: inputs.s3.customer,
        backup: inputs.backup,
        database,
        allowUnverified: inputs.allowUnverified,
        signers: inputs.signers,
      },
      inputs.identities,
    );
  const named = wanted.source ?? (wanted.inPlace ? inputs.odoo.database : undefined);
  // S3 is asked while the host is, where it is known for what.
  let opening = named === undefined && wanted.inPlace ? undefined : open(named);
  opening?.catch(() => {}); // awaited below
  await using host = await phases.run('connect', `Connect to ${inputs.ssh.user}@${inputs.ssh.host}`, connect);
  const secret = (password: string) => platform.secret(password);
  let locking: Ahead<Lock> | undefined;
  await using unlocking = new AsyncDisposableStack();
  const target = await phases.run('host', 'Odoo on the host', async () => {
    const begin = async ({ postgres, database }: OdooServer) => {
      opening ??= open(database);
      opening.catch(() => {}); // awaited below
      if (request.dryRun) return;
      locking = unlocking.use(ahead(() => acquireLock(postgres, database, request.purpose)));
      await locking.settled; // from then on nobody changes what is looked at
    };
    const found = await findTarget(await openSite(host, inputs), inputs, targetDatabase, {
      secret,
      onServer: begin,
    });
    tellTarget(found, platform);
    return found;
  });
  const { database } = target;
  const folder = store.uri(catalogFolder(inputs.s3.prefix, inputs.s3.customer));
  const source = await phases.run(
    'backup',
    `Find the backup: ${inputs.backup} in ${folder}`,
    () => opening ?? open(database),
  );
  tellPassedOver(source, platform);
  await using lock = await locking?.take();

  const findings = await phases.run('preflight', 'Check everything, change nothing', async () => {
    const found = await preflight(source, target, request);
    signal.throwIfAborted(); // what it makes problems of: everything
    tellFindings(factsOf(source, target, found, request.inPlace), found, platform);
    return found;
  });
  const facts = factsOf(source, target, findings, request.inPlace);
  const ownership = lock && (await Ownership.of({ admin: target.admin, database, lock }));
  const assertLocked = async () => lock?.assertHeld();
  const beginSwap = async () => {
    await Promise.all([assertLocked(), ownership?.add(work.databases.new)]);
  };
  const work = workOf({ ...run, source, target, findings, request, startedAt, assertLocked, beginSwap });
  const downtime = new Downtime();
  const plan = planOf(work, downtime, salvageSteps(work, store, inputs.s3.customer));
  const steps = [...plan.steps, ...plan.afterwards];
  await platform.group(`The plan: ${titleOf(source, target)}`, async () => {
    for (const line of [...describePlan(steps), UNDO_MEANING]) platform.info(line);
  });
  for (const warning of findings.warnings) platform.warning(warning);
  const about = { source, database: target.database, host: host.label, inPlace: request.inPlace };
  if (findings.problems.length > 0) await platform.summary(refusalSummary(about, facts, findings.problems));
  refuse(findings.problems);

  phases.expect(steps.length);
  if (request.dryRun) {
    platform.notice('Dry run: everything that the plan needs is in place. Nothing was changed.');
  } else {
    const tell = (failure: StepFailure) => platform.summary(failureSummary(about, failure));
    await execute(plan.steps, run, cancellation, { beforeUndo: () => ownership?.assert(), tell });
    await assertStands(ownership, platform, async (error) => {
      const step = plan.steps.at(-1);
      if (step) await tell({ step, error, undone: [] });
    });
    await tidy(plan.afterwards, run);
    await sweepCopies(target, platform);
  }
  const outcome: RestoreOutcome = {
    ...about,
    facts,
    losses: findings.losses,
    code: findings.code,
    dryRun: request.dryRun,
    steps,
    neutralize: request.neutralize,
    newUuid: request.newUuid,
    leftOut: work.leftOut,
    kept: fatesOf(work).flatMap(({ keep, ...pair }) =>
      keep === undefined ? [] : [`${pairName(pair)}, ${howLong(keep)}`],
    ),
    downtimeSeconds: downtime.seconds,
    seconds: (Date.now() - startedAt.getTime()) / 1000,
    spans: phases.spans,
  };
  for (const [name, value] of Object.entries(outcomeOutputs(outcome))) platform.output(name, value);
  await platform.summary(outcomeSummary(outcome));
}

/**
 * What was put in its place may have been replaced while Odoo came up. From here on, the run has its lock again.
 *
 * @throws StrandedError where another run has taken over: what is there now is that one's
 */
async function assertStands(
  ownership: Ownership | undefined,
  platform: Platform,
  tell: (error: StrandedError) => Promise<void>,
): Promise<void> {
  try {
    await ownership?.assert();
  } catch (error) {
    if (!(error instanceof OvertakenError)) {
      return platform.warning(`Whether another run has taken over cannot be determined: ${messageOf(error)}`);
    }
    const message = `The backup was put in its place, and ${lowerFirst(error.message)}`;
    const stranded = new StrandedError(message, [], error, error.hint);
    await tell(stranded);
    throw stranded;
  }
}

/** The latest one that counts is not the latest one: somebody may want that to be overlooked. */
export function tellPassedOver({ uri, passedOver }: RestoreSource, platform: Platform): void {
  const [newest] = passedOver;
  if (newest === undefined) return;
  platform.warning(
    `${uri} is not the newest backup: ${formatCounted(passedOver.length, 'newer one')} cannot be trusted, such as ${newest}`,
  );
}

interface RestorePlan {
  /** All of them, or none. */
  readonly steps: readonly Step[];
  /** Once that is done: what fails here spoils nothing. */
  readonly afterwards: readonly Step[];
}

function planOf(work: Work, downtime: Downtime, salvage: SalvageSteps): RestorePlan {
  const first = [recoverStep(work), roomStep(work)].filter((step) => step !== undefined);
  return {
    steps: [...first, ...buildSteps(work), ...swapSteps(work, downtime, salvage.read)],
    afterwards: [...salvage.store, ...previousSteps(work)],
  };
}

function titleOf(source: RestoreSource, target: Target): string {
  return `${whichBackup(source)} becomes ${target.database} on ${target.host.label}`;
}

async function tidy(steps: readonly Step[], { platform, phases, signal }: Run): Promise<void> {
  for (const step of steps) {
    try {
      await phases.run(step.name, step.title, () => step.run(signal, { add() {} }));
    } catch (error) {
      platform.warning(
        `The restore is done, but one step is left for the next restore, or to be done by hand: ${lowerFirst(step.title)} (${step.details.join(', ')}): ${messageOf(error)}`,
      );
      if (step.guards) return; // what was replaced stays, as after a run that was killed
    }
  }
}
