import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { PostgresServer } from './postgres.ts';
import { run } from './processes.ts';

/** An HTTP server with one archive, which counts how often it was asked for. */
export interface ArchiveServer extends AsyncDisposable {
  readonly url: string;
  /** SHA-256 of the archive, in hex. */
  readonly sha256: string;
  readonly requests: number;
}

/** PostGIS, and what compiles queries: three quarters of it all. */
const LEFT_OUT = "--exclude=bitcode --exclude='*postgis*' --exclude='address_standardizer*'";

/**
 * This machine's own PostgreSQL as an archive: programs, libraries and what they read. They find each other by the way
 * from one folder to the other, so they run wherever they are unpacked.
 */
export async function postgresArchive({ bin }: PostgresServer, folder: string): Promise<string> {
  const path = join(folder, 'postgresql.tar.gz');
  const script = `tar --create --dereference --directory=/usr ${LEFT_OUT} "$2" "$3" | gzip -1 >"$1"`;
  const major = bin.split('/')[4];
  await run(['sh', '-c', script, 'sh', path, `lib/postgresql/${major}`, `share/postgresql/${major}`]);
  return path;
}

export async function serveArchive(path: string): Promise<ArchiveServer> {
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    if (request.url === '/postgresql.tar.gz') createReadStream(path).pipe(response);
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/postgresql.tar.gz`,
    sha256,
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
