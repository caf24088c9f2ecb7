import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { freePorts, Servers } from './processes.ts';
import type { S3Server } from './s3.ts';

/** A server of the other sort: no copies of parts, no conditions, no versions, no lists of unfinished uploads. */
export interface S3rver extends S3Server, AsyncDisposable {}

/** Starts it on a free port of 127.0.0.1. It keeps its objects in `folder`. */
export async function startS3rver(folder: string): Promise<S3rver> {
  const [port = 0] = await freePorts(1);
  const objects = join(folder, 's3rver');
  await mkdir(objects);
  const servers = new Servers(folder);
  const program = createRequire(import.meta.url).resolve('s3rver/bin/s3rver.js');
  // It makes the token for the next page of a list by DES.
  const argv = [process.execPath, '--openssl-legacy-provider', program, '--silent'];
  const endpoint = `http://127.0.0.1:${port}`;
  const server = servers.start('s3rver', [...argv, '-d', objects, '-a', '127.0.0.1', '-p', String(port)]);
  await servers.untilReady('s3rver', server, async () => (await fetch(endpoint)).status > 0);
  return {
    endpoint,
    region: 'us-east-1',
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
  };
}
