// Shows a person what this project does, on real servers that are started for it and stopped again: `npm run demo`.
import { messageOf } from '../src/errors.ts';
import { createOdoo } from '../test/support/odoo.ts';
import { createBucket, s3Client } from '../test/support/s3.ts';
import { startSandbox } from '../test/support/sandbox.ts';
import { backUp } from './demo/backup.ts';
import { lookIntoBucket } from './demo/bucket.ts';
import { lookAtHost, work } from './demo/host.ts';
import type { Step } from './demo/stage.ts';
import { heading, say } from './demo/story.ts';

const steps: readonly Step[] = [
  { title: 'What is on the host', run: lookAtHost },
  { title: 'The backup', run: backUp },
  { title: 'What lies in S3 now', run: lookIntoBucket },
];

async function demo(): Promise<void> {
  say(
    'Starting an Odoo host (sshd, PostgreSQL, Odoo’s files) and an S3 server on this machine: about 20 seconds.',
  );
  say('They listen on 127.0.0.1 only, and are stopped and removed at the end, on Ctrl-C as well.');
  await using sandbox = await startSandbox();
  await using odoo = await createOdoo(sandbox, { database: 'shop', login: 'password' });
  await work(sandbox, odoo);
  const s3 = s3Client(sandbox.s3);
  const stage = { sandbox, odoo, s3, bucket: await createBucket(s3) };
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
