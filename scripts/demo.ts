// Shows a person what this project does, on real servers that are started for it and stopped again: `npm run demo`.
import { join } from 'node:path';
import { messageOf } from '../src/util/errors.ts';
import { createOdoo } from '../test/support/odoo.ts';
import { startOdooServer } from '../test/support/odoo-server.ts';
import { freePorts } from '../test/support/processes.ts';
import { createBucket, s3Client } from '../test/support/s3.ts';
import { startSandbox } from '../test/support/sandbox.ts';
import { lookIntoBucket } from './demo/bucket.ts';
import { makeAddons } from './demo/code.ts';
import { deployBadly } from './demo/deploy.ts';
import { lookAtHost, work } from './demo/host.ts';
import { compareLooks } from './demo/looks.ts';
import { backUp, backUpAgain, planRollback, rollBack } from './demo/program.ts';
import { rehearse } from './demo/rehearsal.ts';
import { lookAtSalvaged } from './demo/salvaged.ts';
import { backUpSealed } from './demo/sealed.ts';
import type { Step } from './demo/stage.ts';
import { heading, say } from './demo/story.ts';

const steps: readonly Step[] = [
  { title: 'What is on the host', run: lookAtHost },
  { title: 'The backup', run: backUp },
  { title: 'What lies in S3 now', run: lookIntoBucket },
  { title: 'The next backup', run: backUpAgain },
  { title: 'A deploy that breaks things', run: deployBadly },
  { title: 'The rollback as a dry run', run: planRollback },
  { title: 'The rollback', run: rollBack },
  { title: 'Is everything as it was?', run: compareLooks },
  { title: 'What was entered meanwhile', run: lookAtSalvaged },
  { title: 'The same deploy, rehearsed first', run: rehearse },
  { title: 'A backup that only you can read', run: backUpSealed },
];

async function demo(): Promise<void> {
  say('A backup, a bad deploy and the way back, on a real Odoo database: about a minute.');
  say(
    'An Odoo host (sshd, PostgreSQL, a stand-in for Odoo’s program) and an S3 server start on this machine.',
  );
  say('They listen on 127.0.0.1 only, and are stopped and removed at the end, on Ctrl-C as well.');
  await using sandbox = await startSandbox();
  const addons = join(sandbox.folder, 'addons');
  await makeAddons(sandbox, addons);
  const [port = 0] = await freePorts(1);
  await using odoo = await createOdoo(sandbox, {
    fixture: 'full',
    database: 'shop',
    login: 'password',
    options: { http_interface: '127.0.0.1', http_port: String(port), addons_path: addons },
  });
  await work(sandbox, odoo);
  await using server = await startOdooServer(sandbox, odoo, port);
  const s3 = s3Client(sandbox.s3);
  const bucket = await createBucket(s3);
  const stage = { sandbox, odoo, server, addons, url: `http://127.0.0.1:${port}`, s3, bucket, looks: [] };
  for (const [index, { title, run }] of steps.entries()) {
    heading(`${index + 1}. ${title}`);
    await run(stage);
  }
}

try {
  await demo();
  say(`\nDone in ${Math.round(performance.now() / 1000)} s. Everything is stopped and removed.`);
} catch (error) {
  console.error(`\nThe demo failed: ${messageOf(error)}`);
  process.exitCode = 1;
}
