import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresClient } from '../../src/host/tools.ts';
import type { PostgresServer } from './postgres.ts';

/**
 * A folder with a psql from before `\restrict`: the installed one, in which that command and `\unrestrict` have other
 * names. All else of it reads as it always did.
 */
export async function oldPsql({ bin }: PostgresServer): Promise<PostgresClient & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'old-psql-'));
  await chmod(folder, 0o755); // the host's account runs it
  const program = readFileSync(join(bin, 'psql')).toString('latin1').replaceAll('restrict\0', 'restricX\0');
  await writeFile(join(folder, 'psql'), program, { encoding: 'latin1', mode: 0o755 });
  const [, major] = /\/(\d+)\/bin$/.exec(bin) ?? [];
  return {
    folder,
    major: Number(major),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
