import { openSelected, type RestoreSource } from '../../backup-reader/open.ts';
import type { Host } from '../../host/host.ts';
import { openReconnectingHost } from '../../host/ssh/open-host.ts';
import { noProgram } from '../../odoo/boot/boot.ts';
import { findGuest, type GuestPlace } from '../../odoo/boot/guest.ts';
import { openSite } from '../../odoo/open-site.ts';
import type { Run } from '../../platform/run.ts';
import { openCopy, useCopy } from '../../rehearsal/copy.ts';
import type { RehearsalOptions } from '../../rehearsal/options.ts';
import { Experience } from '../../rehearsal/outcome.ts';
import { rehearsalSteps } from '../../rehearsal/steps.ts';
import { codeWarning, findCodeDifference } from '../../restore/code.ts';
import type { Step } from '../../restore/plan.ts';
import { refuse } from '../../restore/problem.ts';
import { findTarget, type Target } from '../../restore/target.ts';
import { formatDuration } from '../../util/format.ts';
import type { BootTestOptions } from '../options.ts';
import type { ProofFindings, Subject } from '../subject.ts';

/** The unit of Odoo's own packages. */
const USUAL_UNITS = ['odoo'];

/** A rehearsal of nothing: the same code, started on a copy. */
const sameCode = (start: string | undefined): RehearsalOptions => ({
  command: undefined,
  user: undefined,
  start,
  image: undefined,
  checks: [],
  failOn: 'failure',
});

/**
 * Proof level `boot`: the archive becomes a neutralized copy on the host of Odoo, Odoo is started on it, and has to
 * answer. The copy is dropped in every case.
 *
 * @returns the seconds from the archive to the answer
 * @throws UserError when Odoo does not answer. That is no evidence against the archive: the host may have other code than
 * the backup was made with
 */
export async function proveBoot(
  { store, key, receipt, identities }: Subject,
  options: BootTestOptions,
  run: Run,
): Promise<ProofFindings> {
  const { platform, signal } = run;
  const source = await openSelected(store, { key, receipt }, identities);
  // Also after the signal: the copy has to go.
  await using host = await openReconnectingHost(options.restoreTest.ssh, platform, signal);
  const { target, place } = await findPlace(host, source, options, run);
  await tellOtherCode(source, target, run);
  await using plan = await openCopy(source, target, { source: source.database }, run);
  refuse(plan.findings.problems);
  const experience = new Experience();
  const asked = { settings: options.restoreTest.odoo, options: sameCode(options.start) };
  const steps = rehearsalSteps({ copy: plan.copy, place, ...asked, experience, platform });
  const begun = performance.now();
  let booting = begun;
  const timed = steps.map((step) =>
    step.name === 'boot' ? before(step, () => (booting = performance.now())) : step,
  );
  await useCopy(plan, timed, run);
  const seconds = (booting - begun) / 1000 + (experience.boot?.seconds ?? 0);
  platform.info(`From the archive to Odoo’s answer: ${formatDuration(seconds * 1000)}`);
  return {
    seconds: Math.round(seconds * 1000) / 1000,
    programs: {
      postgres: target.postgres.version.text,
      ...(place.program && { odoo: String(place.program.major) }),
    },
  };
}

/** Finds the Odoo in use, and where another one can be started beside it. */
function findPlace(
  host: Host,
  source: RestoreSource,
  { restoreTest, units: named, start, timeoutMs }: BootTestOptions,
  { platform, phases }: Run,
): Promise<{ readonly target: Target; readonly place: GuestPlace }> {
  const { odoo, adminUser, ...where } = restoreTest;
  const units = named.length > 0 ? named : USUAL_UNITS;
  const health = { url: undefined, from: 'host', timeoutMs } as const;
  const options = { odoo, dbAdminUser: adminUser, services: undefined, health, jobs: undefined };
  return phases.run('host', 'Odoo on the host', async () => {
    const site = await openSite(host, where);
    const secret = (value: string) => platform.secret(value);
    const target = await findTarget(site, options, source.database, { secret });
    const place = await findGuest(site, target.installation, {
      units,
      owner: target.filestore?.owner,
      user: undefined,
      image: undefined,
    });
    if (!place.program && start === undefined) throw noProgram(place.host.label);
    return { target: { ...target, units }, place };
  });
}

/** The usual reason why an Odoo does not start on a backup. */
async function tellOtherCode(source: RestoreSource, target: Target, { platform }: Run): Promise<void> {
  const options = { command: undefined, requireSame: false };
  const warning = codeWarning(await findCodeDifference(source, target, options));
  if (warning !== undefined) platform.warning(warning);
}

const before = (step: Step, tell: () => void): Step => ({
  ...step,
  run: (signal, progress) => {
    tell();
    return step.run(signal, progress);
  },
});
