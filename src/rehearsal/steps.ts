import { bootOdoo, runInGuest } from '../odoo/boot/boot.ts';
import { type Guest, type GuestPlace, openGuest } from '../odoo/boot/guest.ts';
import { OdooLog } from '../odoo/boot/odoo-log.ts';
import type { OdooSettings } from '../odoo/installation.ts';
import { hostTime, overwrittenIn } from '../odoo/shared-files.ts';
import type { Platform } from '../platform/platform.ts';
import { nowAndThen } from '../platform/progress.ts';
import type { Step } from '../restore/plan.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { formatCounted, formatDuration, formatLimit } from '../util/format.ts';
import { failedChecks, runChecks } from './checks.ts';
import type { Copy } from './copy.ts';
import { whileGuestFits } from './guest-space.ts';
import { overwritingError } from './in-use.ts';
import type { FailOn, RehearsalOptions } from './options.ts';
import { type Experience, partOf } from './outcome.ts';
import { because, tellEntries, tellLastWords, tellLog } from './tell-log.ts';

/** What the steps of a rehearsal work on. */
export interface Rehearsed {
  readonly copy: Copy;
  readonly place: GuestPlace;
  readonly settings: OdooSettings;
  readonly options: RehearsalOptions;
  readonly experience: Experience;
  readonly platform: Platform;
}

/** Lines of a failed program that the log and the summary show. */
const MOST_WORDS = 25;

/** The steps that try a deploy on a copy. */
export function rehearsalSteps(rehearsed: Rehearsed): Step[] {
  const { options } = rehearsed;
  let guest: Guest | undefined;
  const opened = (): Guest => {
    if (!guest) throw new TypeError('The guest is opened by the step before');
    return guest;
  };
  return [
    guestStep(
      rehearsed,
      (made) => {
        guest = made;
      },
      () => guest,
    ),
    ...(options.command === undefined ? [] : [commandStep(rehearsed, options.command, opened)]),
    startStep(rehearsed, opened),
    ...(options.checks.length === 0 ? [] : [checksStep(rehearsed)]),
    ...(options.failOn === 'failure' ? [] : [verdictStep(rehearsed, options.failOn)]),
  ];
}

function guestStep(
  { copy, place, settings, experience, platform }: Rehearsed,
  tell: (guest: Guest) => void,
  made: () => Guest | undefined,
): Step {
  const { site, installation } = copy.target;
  const account = place.as ?? place.host.user;
  let openedAt: string | undefined;
  return {
    name: 'guest',
    title: `Configure an Odoo for ${copy.database}`,
    details: [
      `as ${account}, with low priority: no scheduled actions, no mail, no queue; on a free port of 127.0.0.1`,
      place.confText === ''
        ? 'with Odoo’s defaults: no odoo.conf was found'
        : `as ${installation.conf?.path} otherwise`,
    ],
    async run() {
      const { database, filestore } = copy;
      openedAt = filestore && (await hostTime(filestore));
      const data = { conf: installation.conf, settings, database, filestore: filestore?.path };
      const guest = await openGuest(site, place, data);
      tell(guest);
      platform.info(`${guest.conf}, port ${guest.port}`);
    },
    undo: {
      title: 'Remove its configuration',
      async run() {
        await made()?.[Symbol.asyncDispose]();
        if (!copy.filestore || openedAt === undefined) return;
        experience.overwritten = await overwrittenIn(copy.filestore, openedAt);
        const error = overwritingError(experience.overwritten);
        if (error) platform.warning(`${messageOf(error)}. ${error.hint}`);
      },
      byHand: [], // it goes when the connection does
    },
  };
}

function commandStep({ copy, experience, platform }: Rehearsed, shell: string, guest: () => Guest): Step {
  return {
    name: 'command',
    title: 'Run rehearse-command on the copy',
    details: [shell],
    async run(signal) {
      const log = new OdooLog();
      const started = performance.now();
      const code = await whileGuestFits(copy, signal, (ending) =>
        runInGuest(guest(), shell, log, { signal: ending }),
      );
      experience.migration = partOf(log, started);
      if (code === 0) return tellLog(experience.migration, platform);
      tellEntries(experience.migration, platform);
      experience.lastWords = log.lastWords(MOST_WORDS);
      tellLastWords(experience.lastWords, platform);
      throw new UserError(
        `rehearse-command failed after ${formatDuration(experience.migration.seconds * 1000)} (exit code ${code})${because(experience.lastWords)}`,
        'The deploy would have failed as well: correct the code, and rehearse again. The Odoo in use is as it was.',
      );
    },
  };
}

function startStep({ copy, place, options, experience, platform }: Rehearsed, guest: () => Guest): Step {
  const { timeoutMs } = copy.target.health;
  const { program } = place;
  const how = options.start ?? `${program?.argv.join(' ')}, Odoo ${program?.major}`;
  return {
    name: 'boot',
    title: 'Start Odoo on the copy',
    details: [how, `/web/login answers within ${formatLimit(timeoutMs)}; then it is stopped`],
    async run(signal) {
      const log = new OdooLog();
      const started = performance.now();
      const onWait = nowAndThen(platform);
      try {
        const boot = { shell: options.start, timeoutMs, onWait };
        const { answer, seconds } = await whileGuestFits(copy, signal, (ending) =>
          bootOdoo(guest(), log, { ...boot, signal: ending }),
        );
        experience.boot = { ...partOf(log, started), seconds, answer };
        platform.info(`${answer} after ${formatDuration(seconds * 1000)}`);
        tellLog(experience.boot, platform);
      } catch (error) {
        if (!(error instanceof UserError) || signal.aborted) throw error;
        experience.lastWords = log.lastWords(MOST_WORDS);
        tellEntries(partOf(log, started), platform);
        tellLastWords(experience.lastWords, platform);
        throw new UserError(`${error.message}${because(experience.lastWords)}`, error.hint, {
          cause: error.cause,
        });
      }
    },
  };
}

function checksStep({ copy, options, experience, platform }: Rehearsed): Step {
  return {
    name: 'checks',
    title: `Check the data: ${formatCounted(options.checks.length, 'file')} of rehearse-checks`,
    details: options.checks.map(({ name }) => name),
    async run(signal) {
      await runChecks(copy, options.checks, experience.checks, { platform, signal });
      const failed = failedChecks(experience.checks);
      if (failed) throw failed;
    },
  };
}

/** Last: what the log says counts once it is known that everything else works. */
function verdictStep({ experience }: Rehearsed, failOn: Exclude<FailOn, 'failure'>): Step {
  return {
    name: 'verdict',
    title: failOn === 'error' ? 'Odoo’s log has no errors' : 'Odoo’s log has no errors or warnings',
    details: [],
    async run() {
      const { errors, warnings } = experience;
      if (errors === 0 && (failOn === 'error' || warnings === 0)) return;
      throw new UserError(
        `Odoo works on the copy, and its log has ${formatCounted(errors, 'error')} and ${formatCounted(warnings, 'warning')}`,
        'Correct what they are about. Or let the rehearsal fail for less: rehearse-fail-on.',
      );
    },
  };
}
