import { runSqlFile } from '../odoo/after-load.ts';
import { neutralize, renewIdentity } from '../odoo/neutralize.ts';
import { analyze } from '../postgres/analyze.ts';
import { formatCounted } from '../util/format.ts';
import { Background } from './background.ts';
import { compareWithBackup } from './compare.ts';
import { databaseSteps, settingsSteps } from './database-steps.ts';
import { stageStep } from './filestore-step.ts';
import type { Step } from './plan.ts';
import type { Work } from './work.ts';

/** The steps that build the new beside the old, while Odoo runs. */
export function buildSteps(work: Work): Step[] {
  const { request, filestore, target, findings, databases } = work;
  const changesIdentity = request.neutralize || request.newUuid;
  const { loader } = findings;
  const statistics = new Background((signal) => analyze(loader, databases.new, target.jobs, signal));
  return [
    ...databaseSteps(work, statistics),
    ...(filestore ? [stageStep(work, filestore)] : []),
    checkStep(work, statistics),
    ...(request.afterLoad.length > 0 ? [afterLoadStep(work)] : []),
    ...(changesIdentity ? [identityStep(work)] : []),
    ...settingsSteps(work),
  ];
}
function checkStep(work: Work, statistics: Background<void>): Step {
  const counts = Object.keys(work.source.receipt?.counts ?? work.source.description?.counts ?? {}).length;
  return {
    name: 'check',
    title: 'Compare the new with the backup',
    details: [
      ...(counts > 0
        ? [`${formatCounted(counts, 'table')} have as many rows as when the backup was made`]
        : []),
      `every attachment has its file in the ${work.filestore ? 'new ' : ''}filestore`,
    ],
    async run(signal) {
      await compareWithBackup(work);
      await statistics.take(signal);
    },
  };
}

/** Before the copy is neutralized: that is the last word. */
function afterLoadStep({ findings, request, databases, platform }: Work): Step {
  return {
    name: 'after-load',
    title: 'Run the SQL of after-load in the copy',
    details: request.afterLoad.map(({ name }) => name),
    async run() {
      for (const file of request.afterLoad) {
        await runSqlFile(findings.loader, databases.new, file);
        platform.info(`${file.name} has run`);
      }
    },
  };
}

function identityStep({ findings, request, databases, platform }: Work): Step {
  const { program } = findings;
  const how = program
    ? `by ${program.argv.join(' ')} neutralize`
    : 'scheduled actions, mail servers, payments, deliveries and logins by others are off';
  return {
    name: 'identity',
    title: request.neutralize ? 'Neutralize the copy' : 'Give the copy an identity of its own',
    details: [
      ...(request.neutralize ? [`${how}; checked afterwards`] : []),
      ...(request.newUuid ? ['a database.uuid and database.secret of its own'] : []),
    ],
    async run() {
      if (request.neutralize) await neutralize(findings.loader, databases.new, program);
      if (request.newUuid) {
        platform.info(`database.uuid: ${await renewIdentity(findings.loader, databases.new)}`);
      }
    },
  };
}
