import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for the front of a host's PATH. */
export interface BeforePsql extends AsyncDisposable {
  readonly path: string;
}

/**
 * Has a host run a shell script before each psql of ours: what somebody else does on the server between two of our
 * statements, without a race. It is `env` that is put in front, for every psql is started by it.
 *
 * @param script has psql's variables (PGDATABASE, PGHOST) and nothing on its standard input; $psql is the program
 */
export async function beforePsql(script: string): Promise<BeforePsql> {
  const folder = await mkdtemp(join(tmpdir(), 'before-psql-'));
  await chmod(folder, 0o755); // the host's account runs it
  const wrapper = `#!/bin/sh
psql=
for each; do case $each in */bin/psql) psql=$each; break;; esac; done
[ -z "$psql" ] || (
  for each; do case $each in PGOPTIONS=*|PGUSER=*) ;; PG*=*) export "$each";; esac; done
${script}
) </dev/null >/dev/null 2>&1
exec /usr/bin/env "$@"
`;
  await writeFile(join(folder, 'env'), wrapper, { mode: 0o755 });
  return {
    path: `${folder}:/usr/local/bin:/usr/bin:/bin`,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
