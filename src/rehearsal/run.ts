import { openSource, type RestoreSource } from '../backup-reader/open.ts';
import { catalogFolder } from '../catalog/keys.ts';
import { openReconnectingHost } from '../host/ssh/open-host.ts';
import { noProgram } from '../odoo/boot/boot.ts';
import { findGuest, type GuestPlace } from '../odoo/boot/guest.ts';
import { openSite } from '../odoo/open-site.ts';
import type { Run } from '../platform/run.ts';
import { copyFacts, tellFindings, tellTarget, whichBackup } from '../restore/facts.ts';
import { describePlan, type StepFailure } from '../restore/plan.ts';
import { attemptInto } from '../restore/preflight/attempt.ts';
import { type Problem, refuse } from '../restore/problem.ts';
import { tellPassedOver } from '../restore/run.ts';
import { refusalSummary } from '../restore/summary.ts';
import { findTarget, type Target } from '../restore/target.ts';
import { Store } from '../s3/store.ts';
import type { Cancellation } from '../util/cancellation.ts';
import { type CopyPlan, openCopy, useCopy } from './copy.ts';
import { namesInUse, overwritingError } from './in-use.ts';
import type { RehearseOptions } from './options.ts';
import { Experience } from './outcome.ts';
import { rehearsalSteps } from './steps.ts';
import {
  failureSummary,
  planSummary,
  type Rehearsal,
  rehearsalJson,
  rehearsalOutputs,
  rehearsalSummary,
} from './summary.ts';

/**
 * Tries a deploy on a copy of a backup, on the host of the Odoo in use: builds the copy, runs the command of the migration
 * there, starts Odoo on it, checks the data, and drops the copy. A dry run ends with the plan.
 *
 * @throws UserError where the deploy would fail; the signal's reason when that is aborted; a StrandedError when a person has
 * to drop the copy
 */
export async function rehearse(inputs: RehearseOptions, run: Run, cancellation: Cancellation): Promise<void> {
  const { platform, phases, signal } = run;
  const startedAt = Date.now();
  using store = new Store(inputs.s3, signal, platform);
  await using host = await phases.run('connect', `Connect to ${inputs.ssh.user}@${inputs.ssh.host}`, () =>
    openReconnectingHost(inputs.ssh, platform, signal),
  );
  const secret = (password: string) => platform.secret(password);
  const live = await phases.run('host', 'Odoo on the host', async () => {
    const found = await findTarget(await openSite(host, inputs), inputs, undefined, { secret });
    tellTarget(found, platform);
    return found;
  });
  const folder = store.uri(catalogFolder(inputs.s3.prefix, inputs.s3.customer));
  const source = await phases.run('backup', `Find the backup: ${inputs.backup} in ${folder}`, () =>
    openSource(
      store,
      {
        customer: inputs.s3.customer,
        backup: inputs.backup,
        database: live.database,
        allowUnverified: inputs.allowUnverified,
        signers: inputs.signers,
      },
      inputs.identities,
    ),
  );
  tellPassedOver(source, platform);

  const { rehearsal: options, dryRun, skipTables } = inputs;
  await using plan = await openCopy(source, live, { dryRun, source: live.database, skipTables }, run);
  const { findings, copy } = plan;
  const problems = [...findings.problems];
  problems.push(...namesInUse(inputs.rehearsal, live));
  const place = await guestOf(live, inputs, problems);
  const facts = copyFacts(source, copy.target, findings);
  await platform.group('What the checks have found', async () =>
    tellFindings(facts, { ...findings, problems }, platform),
  );
  const experience = new Experience();
  const rehearsed = { copy, options, experience, platform, settings: inputs.odoo };
  const further = place ? rehearsalSteps({ ...rehearsed, place }) : [];
  const steps = [...plan.steps, ...further];
  await platform.group(`The plan: ${titleOf(source, plan, host.label)}`, async () => {
    for (const line of [...describePlan(steps), TAKEN_BACK]) platform.info(line);
  });
  for (const warning of findings.warnings) platform.warning(warning);
  const about = { source, database: live.database, host: host.label, inPlace: false };
  if (problems.length > 0) await platform.summary(refusalSummary(about, facts, problems));
  refuse(problems);

  phases.expect(steps.length);
  const made = (): Rehearsal => ({
    ...about,
    facts,
    steps,
    experience,
    leftOut: plan.leftOut,
    copySeconds: secondsOf(plan, run),
    seconds: (Date.now() - startedAt) / 1000,
    spans: phases.spans,
  });
  if (dryRun) {
    platform.notice('Dry run: everything that the rehearsal needs is in place. Nothing was changed.');
    for (const [name, value] of Object.entries(rehearsalOutputs(made(), 'planned')))
      platform.output(name, value);
    return platform.summary(planSummary(made()));
  }
  const onFailure = async (failure: StepFailure) => {
    platform.output('json', JSON.stringify(rehearsalJson(made(), 'failed')));
    await platform.summary(failureSummary(made(), failure));
  };
  await useCopy(plan, further, run, { cancellation, onFailure });
  const error = overwritingError(experience.overwritten);
  const step = steps.findLast(({ name }) => name === 'command' || name === 'boot');
  if (error && step) {
    await onFailure({ step, error, undone: [] });
    throw error;
  }
  for (const [name, value] of Object.entries(rehearsalOutputs(made(), 'works'))) platform.output(name, value);
  await platform.summary(rehearsalSummary(made()));
}

/** What the undo of the plan's steps means. */
const TAKEN_BACK =
  'In the end every step that was begun is undone, the last one first, whether the rehearsal has worked or not. The Odoo in use is not touched.';

/** Where Odoo can be started on the copy; undefined: nowhere, which is a problem. */
async function guestOf(
  { site, installation, services, filestore }: Target,
  { rehearsal }: RehearseOptions,
  problems: Problem[],
): Promise<GuestPlace | undefined> {
  const units = services && services.units.length > 0 ? services.units : USUAL_UNITS;
  const { user, image } = rehearsal;
  const place = await attemptInto(problems)(() =>
    findGuest(site, installation, { units, owner: filestore?.owner, user, image }),
  );
  if (place && !place.program && rehearsal.start === undefined) {
    const { message, hint } = noProgram(place.host.label);
    problems.push({ message, hint });
  }
  return place;
}

/** The unit of Odoo's own packages. */
const USUAL_UNITS = ['odoo'];

const titleOf = (source: RestoreSource, { copy }: CopyPlan, label: string): string =>
  `rehearse on ${copy.database}, a copy of ${whichBackup(source)}, on ${label}`;

/** Seconds that it took to build the copy. */
function secondsOf({ steps }: CopyPlan, { phases }: Run): number {
  const names = new Set(steps.map(({ name }) => name));
  return Object.entries(phases.seconds).reduce(
    (sum, [name, seconds]) => sum + (names.has(name) ? seconds : 0),
    0,
  );
}
