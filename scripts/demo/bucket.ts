import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { formatBytes, formatCount } from '../../src/util/format.ts';
import { run } from '../../test/support/processes.ts';
import { getObject, listKeys } from '../../test/support/s3.ts';
import type { Stage } from './stage.ts';
import { quote, say } from './story.ts';

/** Looks at the bucket with other people's tools: the SDK alone, and Info-ZIP's unzip. */
export async function lookIntoBucket({ s3, bucket, sandbox }: Stage): Promise<void> {
  const keys = await listKeys(s3, bucket);
  const sizes = await Promise.all(
    keys.map(
      async (Key) => (await s3.send(new HeadObjectCommand({ Bucket: bucket, Key }))).ContentLength ?? 0,
    ),
  );
  quote(keys.map((key, index) => `s3://${bucket}/${key}  ${formatBytes(sizes[index] ?? 0)}`).join('\n'));
  const archive = keys.find((key) => key.endsWith('.zip'));
  const receipt = keys.find((key) => key.endsWith('.json'));
  if (!archive || !receipt) throw new Error('There is no archive, or no receipt');

  say('\nThe zip is a standard Odoo backup, and a bit more. unzip lists it, and finds every checksum right:');
  const file = join(sandbox.folder, 'archive.zip');
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: archive }));
  if (!(Body instanceof Readable)) throw new Error('The archive has no body');
  await pipeline(Body, createWriteStream(file));
  quote(abridged((await run(['unzip', '-Z1', file])).trim().split('\n')));
  quote(`$ unzip -tq archive.zip\n${(await run(['unzip', '-tq', file])).replaceAll(file, 'archive.zip')}`);

  say(
    '\nThe receipt was written last, after the check. An archive without one does not count. It says, among more:',
  );
  const said = JSON.parse(Buffer.from(await getObject(s3, bucket, receipt)).toString()) as Record<
    string,
    unknown
  >;
  const told = ['database', 'startedAt', 'finishedAt', 'size', 'upload', 'proofs', 'filestore', 'counts'];
  quote(told.map((name) => `${JSON.stringify(name)}: ${short(JSON.stringify(said[name]))}`).join('\n'));
}

const short = (text: string): string => (text.length > 90 ? `${text.slice(0, 89)}…` : text);

/** The members of the zip, of its filestore the first few only. */
function abridged(members: readonly string[]): string {
  const inFilestore = members.filter((name) => name.startsWith('filestore/'));
  const shown = inFilestore.slice(0, 3);
  const others = members.filter((name) => !inFilestore.includes(name));
  return [
    ...others,
    ...shown,
    `… and ${formatCount(inFilestore.length - shown.length)} more in filestore/`,
  ].join('\n');
}
