// Finds out what an S3 server can do, and what this project uses of it: `npm run test:s3 -- --endpoint URL`.
import { parseArgs } from 'node:util';
import { messageOf, UserError } from '../src/errors.ts';
import type { StoreOptions } from '../src/storage/store.ts';
import type { Finding } from '../test/conformance/check.ts';
import { conformance } from '../test/conformance/conformance.ts';
import type { PlaceOptions } from '../test/conformance/place.ts';
import { usesOf } from '../test/conformance/uses.ts';

const usage = `npm run test:s3 -- --endpoint URL [--bucket NAME] [--region REGION] [--path-style true|false] [--kms-key-id ID]

Finds out what an S3 server can do, with the code that makes backups, and says what this project would use there. It
makes a bucket and removes it again; with --bucket, it works in a folder of that bucket. Keys come from where
the AWS SDK takes them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile. With --kms-key-id, all objects are
encrypted by SSE-KMS with that key.

Exit status: 0 backups are safe there, 1 they are not, or it could not be found out, 2 bad arguments.`;

function parse(): PlaceOptions | undefined {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      endpoint: text,
      bucket: text,
      region: text,
      'path-style': text,
      'kms-key-id': text,
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  const { endpoint, bucket, region } = values;
  if (!endpoint && !region) throw new Error('--endpoint: is required, or --region for Amazon');
  if (endpoint && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    throw new Error('--endpoint: is not a URL such as https://s3.example.com');
  }
  const pathStyle = values['path-style'] === undefined ? undefined : values['path-style'] === 'true';
  const keyId = values['kms-key-id'];
  const encryption: StoreOptions['encryption'] = keyId === undefined ? undefined : { kind: 'aws:kms', keyId };
  return { endpoint, bucket, region, pathStyle, ...(encryption && { encryption }) } as PlaceOptions;
}

const signs = { true: 'yes', false: 'no', undefined: '?' } as const;

function tell({ id, title, holds, detail, uses, otherwise, required }: Finding): void {
  const sign = holds === false && required ? 'NO' : signs[String(holds) as keyof typeof signs];
  console.log(`${sign.padEnd(4)} ${title}`);
  const reason = detail && holds !== true ? ` (${id}: ${detail})` : '';
  console.log(`     ${holds ? uses : otherwise}${reason}`);
}

async function main(options: PlaceOptions): Promise<boolean> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => stop.abort(new Error(`Stopped by ${signal}; what was made there is removed`)));
  }
  const findings = await conformance(options, tell, stop.signal);
  const { safe, rows } = usesOf(findings);
  const width = Math.max(...rows.map(([topic]) => topic.length));
  console.log(`\nWhat this project uses on ${options.endpoint ?? 'Amazon S3'}:`);
  for (const [topic, use] of rows) console.log(`  ${topic.padEnd(width)}  ${use}`);
  return safe;
}

let options: PlaceOptions | undefined;
try {
  options = parse();
} catch (error) {
  console.error(`${messageOf(error)}\n\n${usage}`);
  process.exit(2);
}
if (!options) {
  console.log(usage);
} else {
  try {
    process.exitCode = (await main(options)) ? 0 : 1;
  } catch (error) {
    console.error(messageOf(error));
    if (error instanceof UserError) console.error(error.hint);
    process.exitCode = 1;
  }
}
