import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { psql, uniqueName } from './postgres.ts';
import { ownAccount } from './processes.ts';
import type { Sandbox } from './sandbox.ts';

/** A role of the sandbox's server: dropped at the end, when its databases have to be gone. */
export interface OwnRole extends AsyncDisposable {
  readonly name: string;
}

/**
 * Creates a role that the host's accounts may log in as over the socket, as they may as odoo.
 * @param attributes such as `CREATEDB`
 */
export async function createRole(
  { postgres, account }: Sandbox,
  prefix: string,
  attributes = '',
): Promise<OwnRole> {
  const name = uniqueName(prefix);
  const lines = [account.name, ownAccount().name].map((each) => `sandbox "${each}" ${name}\n`);
  await appendFile(join(postgres.socket, 'data/pg_ident.conf'), lines.join(''));
  await psql(postgres, 'postgres', `CREATE ROLE "${name}" LOGIN ${attributes}; SELECT pg_reload_conf()`);
  return {
    name,
    [Symbol.asyncDispose]: () => psql(postgres, 'postgres', `DROP ROLE IF EXISTS "${name}"`).then(() => {}),
  };
}
