// Finds out what an S3 server can do, and what this project uses of it: `npm run test:s3 -- --endpoint URL`.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { StoreOptions } from '../src/s3/store.ts';
import { messageOf, UserError } from '../src/util/errors.ts';
import type { Finding } from '../test/conformance/check.ts';
import { conformance } from '../test/conformance/conformance.ts';
import type { PlaceOptions } from '../test/conformance/place.ts';
import { usesOf } from '../test/conformance/uses.ts';
import { kmsKeyId, startCeph } from '../test/support/ceph.ts';
import { Servers } from '../test/support/processes.ts';

const usage = `npm run test:s3 -- --endpoint URL [--bucket NAME] [--region REGION] [--path-style true|false] [--kms-key-id ID]
npm run test:s3 -- --ceph forky|trixie|bookworm [--kms-key-id ${kmsKeyId}]

Finds out what an S3 server can do, with the code that makes backups, and says what this project would use there. It
makes a bucket and removes it again; with --bucket, it works in a folder of that bucket. Keys come from where
the AWS SDK takes them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile. With --kms-key-id, all objects are
encrypted by SSE-KMS with that key. With --ceph, the server is the Ceph of that Debian suite (20, 18, 16), started for it on
127.0.0.1 and stopped at the end.

Exit status: 0 backups are safe there, 1 they are not, or it could not be found out, 2 bad arguments.`;

interface Wish {
  readonly place: PlaceOptions;
  /** Release of Debian. */
  readonly ceph: string | undefined;
}

function parse(): Wish | undefined {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      endpoint: text,
      ceph: text,
      bucket: text,
      region: text,
      'path-style': text,
      'kms-key-id': text,
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  const { endpoint, ceph, bucket, region } = values;
  if (ceph !== undefined && !['forky', 'trixie', 'bookworm'].includes(ceph)) {
    throw new Error('--ceph: is one of forky, trixie and bookworm');
  }
  if (ceph && (endpoint || bucket || region))
    throw new Error('--ceph: goes without --endpoint, --bucket and --region');
  if (!endpoint && !region && !ceph) throw new Error('--endpoint: is required, or --region for Amazon');
  if (endpoint && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    throw new Error('--endpoint: is not a URL such as https://s3.example.com');
  }
  const pathStyle = values['path-style'] === undefined ? undefined : values['path-style'] === 'true';
  const keyId = values['kms-key-id'];
  const encryption: StoreOptions['encryption'] = keyId === undefined ? undefined : { kind: 'aws:kms', keyId };
  const place = { endpoint, bucket, region, pathStyle, ...(encryption && { encryption }) } as PlaceOptions;
  return { place, ceph };
}

const signs = { true: 'yes', false: 'no', undefined: '?' } as const;

function tell({ id, title, holds, detail, uses, otherwise, required }: Finding): void {
  const sign = holds === false && required ? 'NO' : signs[String(holds) as keyof typeof signs];
  console.log(`${sign.padEnd(4)} ${title}`);
  const reason = detail && holds !== true ? ` (${id}: ${detail})` : '';
  console.log(`     ${holds ? uses : otherwise}${reason}`);
}

async function main({ place, ceph }: Wish): Promise<boolean> {
  if (!ceph) return look(place);
  const folder = await mkdtemp(join(tmpdir(), 'ceph-'));
  try {
    await using servers = new Servers(folder);
    const { endpoint, region, accessKeyId, secretAccessKey } = await startCeph(servers, folder, '', ceph);
    process.env.AWS_ACCESS_KEY_ID = accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey;
    return await look({ ...place, endpoint, region });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function look(options: PlaceOptions): Promise<boolean> {
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

let wish: Wish | undefined;
try {
  wish = parse();
} catch (error) {
  console.error(`${messageOf(error)}\n\n${usage}`);
  process.exit(2);
}
if (!wish) {
  console.log(usage);
} else {
  try {
    process.exitCode = (await main(wish)) ? 0 : 1;
  } catch (error) {
    console.error(messageOf(error));
    if (error instanceof UserError) console.error(error.hint);
    process.exitCode = 1;
  }
}
