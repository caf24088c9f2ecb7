import { basename, dirname } from 'node:path/posix';
import { within } from '../host/limits.ts';
import { type FolderSwap, ObstructedSwapError, swapFolders, swapFoldersBack } from '../odoo/folder-swap.ts';
import { waitHealthy } from '../odoo/health.ts';
import type { Services } from '../odoo/services.ts';
import { nowAndThen } from '../platform/progress.ts';
import { identifier, sql } from '../postgres/sql.ts';
import { commentOn, type Swap, swapDatabases, swapDatabasesBack } from '../postgres/swap.ts';
import { messageOf } from '../util/errors.ts';
import { formatDuration } from '../util/format.ts';
import { commandByHand, sqlByHand } from './by-hand.ts';
import { codeSteps } from './code-step.ts';
import { isInterrupted } from './leftovers/leftovers.ts';
import { keepFrom, markText, ownComment, PLACED } from './leftovers/marks.ts';
import { numberSteps } from './number-step.ts';
import type { Step } from './plan.ts';
import type { FilestoreWork, Work } from './work.ts';

/** How long Odoo was away. */
export class Downtime {
  #from: number | undefined;
  #seconds: number | undefined;

  begin(): void {
    this.#from = performance.now();
  }

  end(): void {
    if (this.#from !== undefined) this.#seconds = (performance.now() - this.#from) / 1000;
  }

  /** undefined: nothing was stopped, or it is not back yet. */
  get seconds(): number | undefined {
    return this.#seconds;
  }
}

/**
 * The steps that put the new in the place of the old. Odoo is stopped only between the first and the last.
 *
 * @param whileStopped what else is done before the swap
 */
export function swapSteps(work: Work, downtime: Downtime, whileStopped: readonly Step[] = []): Step[] {
  const { target, filestore, findings, databases } = work;
  const services = findings.stops ? target.services : undefined;
  const swapDatabase = swapDatabaseStep(work);
  const swapFilestore = filestore ? [swapFilestoreStep(work, filestore)] : [];
  return [
    ...(services ? [stopStep(work, services, downtime)] : []),
    ...codeSteps(work),
    ...numberSteps(work),
    ...whileStopped,
    // A database that was not there appears last: Odoo uses it as soon as it sees it.
    ...(databases.old === undefined ? [...swapFilestore, swapDatabase] : [swapDatabase, ...swapFilestore]),
    ...(services ? [startStep(services), healthStep(work, services, downtime)] : []),
  ];
}

function stopStep(work: Work, services: Services, downtime: Downtime): Step {
  const { findings, target, platform } = work;
  // A run that was killed may have stopped Odoo; what somebody has stopped stays so, and what has failed.
  const ran = isInterrupted(target.leftovers) ? undefined : findings.running;
  const again = ran === undefined ? services : services.only(ran);
  return {
    name: 'stop',
    title: 'Stop Odoo',
    details: services.stopCommands,
    unbroken: true,
    async run() {
      await within(work.signal, () => work.assertLocked());
      downtime.begin();
      await services.stop();
    },
    undo:
      ran === undefined || ran.length > 0
        ? {
            title: 'Start Odoo again, as it was',
            byHand: again.startCommands,
            async run() {
              await again.start();
              await tellHealth(work, again);
            },
          }
        : {
            title: 'Leave Odoo stopped, as it was',
            byHand: [],
            run: async () => platform.info('Odoo did not run before'),
          },
  };
}

const PATIENCE_MS = 30_000;

/** Odoo may not have been healthy before either: that is no failure of the undo. */
async function tellHealth({ target, platform, signal }: Work, services: Services): Promise<void> {
  if (signal.aborted) return; // who cancels is about to kill, and more has to be taken back
  const { check, timeoutMs } = target.health;
  const patience = Math.min(timeoutMs, PATIENCE_MS);
  try {
    const { answer } = await waitHealthy({ host: target.site.pages, services, check }, patience);
    platform.info(`As before the restore: ${answer}`);
  } catch (error) {
    platform.warning(`Everything is as before the restore, and started. ${messageOf(error)}`);
  }
}

function swapDatabaseStep(work: Work): Step {
  const { target, findings, databases } = work;
  const { current, old } = databases;
  const before = target.current?.comment ?? null;
  const mark = {
    before,
    own: ownComment(before),
    after: () => unsettled(work, before),
    isBroken: target.current?.isBroken,
  };
  return {
    name: 'swap',
    title: old === undefined ? 'Put the database in its place, by rename' : 'Swap the databases, by rename',
    details: [
      ...renames(databases),
      ...findings.slots.map(({ name }) => `the logical replication slot ${name} moves with ${old}`),
    ],
    unbroken: true,
    async run() {
      await work.beginSwap();
      await swapDatabases(target.admin, databases, mark);
    },
    undo: {
      title: old === undefined ? 'Rename the database back' : 'Rename the databases back',
      isOdoos: true,
      run: () => swapDatabasesBack(target.admin, databases, mark),
      byHand: [
        sqlByHand(
          target.admin,
          sql`ALTER DATABASE ${identifier(current)} RENAME TO ${identifier(databases.new)}`,
          ...(old === undefined
            ? []
            : [
                sql`ALTER DATABASE ${identifier(old)} RENAME TO ${identifier(current)}`,
                ...(target.current?.isBroken
                  ? []
                  : [sql`ALTER DATABASE ${identifier(current)} ALLOW_CONNECTIONS true`]),
              ]),
        ),
      ],
    },
  };
}

/** The mark on what is replaced, until the run has ended (`settle`). */
const unsettled = ({ request, startedAt }: Work, comment: string | null): string =>
  markText({ at: new Date(), settled: false, keep: keepFrom(request.keepPrevious, startedAt), comment });

function swapFilestoreStep(work: Work, { live, swap }: FilestoreWork): Step {
  const { target, databases } = work;
  let isObstructed = false;
  const move = (from: string, to: string) => commandByHand(live, ['mv', '-T', '--', from, to]);
  return {
    name: 'swap',
    title:
      swap.old === undefined ? 'Put the filestore in its place, by rename' : 'Swap the filestores, by rename',
    details: [`in ${dirname(swap.current)}:`, ...renames(namesOf(swap))],
    unbroken: true,
    async run() {
      if (databases.old === undefined) {
        await work.beginSwap();
        await commentOn(target.admin, databases.new, PLACED);
      }
      try {
        await swapFolders(
          live,
          databases.old === undefined ? { ...swap, note: unsettled(work, null) } : swap,
        );
      } catch (error) {
        isObstructed = error instanceof ObstructedSwapError;
        throw error;
      }
    },
    undo: {
      title: swap.old === undefined ? 'Rename the filestore back' : 'Rename the filestores back',
      isOdoos: true,
      run: async () => {
        if (!isObstructed) await swapFoldersBack(live, swap);
      },
      byHand: [
        move(swap.current, swap.new),
        ...(swap.old === undefined ? [] : [move(swap.old, swap.current)]),
      ],
    },
  };
}

const renames = ({ current, old, new: built }: Swap): string[] => [
  ...(old === undefined ? [] : [`${current} → ${old}`]),
  `${built} → ${current}`,
];

const namesOf = ({ current, old, new: built }: FolderSwap): Swap => ({
  current: basename(current),
  old: old === undefined ? undefined : basename(old),
  new: basename(built),
});

function startStep(services: Services): Step {
  return {
    name: 'start',
    title: 'Start Odoo',
    details: services.startCommands,
    unbroken: true,
    run: () => services.start(),
    undo: { title: 'Stop Odoo', run: () => services.stop(), byHand: services.stopCommands },
  };
}

function healthStep({ target, platform }: Work, services: Services, downtime: Downtime): Step {
  const { check, timeoutMs } = target.health;
  const asked = check.kind === 'odoo' ? `${check.baseUrl}/web/login` : `${check.url} from the ${check.from}`;
  const active = services.units.length > 0 ? `${services.units.join(', ')} active, and ` : '';
  return {
    name: 'health',
    title: 'Wait until Odoo is healthy',
    details: [`${active}${asked} answers, within ${formatDuration(timeoutMs)}`],
    async run(signal) {
      const patient = { host: target.site.pages, services, check };
      const { answer } = await waitHealthy(patient, timeoutMs, signal, nowAndThen(platform));
      downtime.end();
      platform.info(answer);
    },
  };
}
