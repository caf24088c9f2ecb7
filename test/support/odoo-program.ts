import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sandbox } from './sandbox.ts';
import { type SshServer, startOwnSshd } from './sshd.ts';

/** A login to the host on whose PATH a program `odoo` is, as far as `neutralize` goes. */
export interface OdooHost extends AsyncDisposable {
  readonly ssh: SshServer;
  /** What `odoo neutralize --stdout` is to print from now on; undefined: it fails. */
  prints(sql: string | undefined): Promise<void>;
}

/** Statements as Odoo 16's own modules have them, and one of a module of somebody's own. */
export const MODULES_STATEMENTS = `BEGIN;
UPDATE ir_mail_server SET active = false;
UPDATE ir_cron SET active = false WHERE id NOT IN (
  SELECT res_id FROM ir_model_data WHERE model = 'ir.cron' AND name = 'autovacuum_job');
UPDATE fetchmail_server SET active = false;
UPDATE res_company SET email = 'neutral@example.com';
INSERT INTO ir_config_parameter (key, value) VALUES ('database.is_neutralized', true)
  ON CONFLICT (key) DO UPDATE SET value = true;
COMMIT;
`;

/** @param conf the odoo.conf that the program has to be given */
export async function startOdooHost(sandbox: Sandbox, conf: string): Promise<OdooHost> {
  const folder = await mkdtemp(join(sandbox.folder, 'bin-'));
  await chmod(folder, 0o755);
  // Odoo refuses an odoo.conf that it may not read, and a database that it may not enter.
  const script = `#!/bin/sh
[ "$1" = neutralize ] || exit 2
[ "$2" = --help ] && exit
[ "$*" = "neutralize --config ${conf} --database $5 --stdout" ] && [ -r "$3" ] || { echo "not called so: $*" >&2; exit 2; }
psql -X -q -h ${sandbox.postgres.socket} -p ${sandbox.postgres.port} -U odoo -d "$5" -c 'SELECT FROM ir_module_module LIMIT 1' >/dev/null || exit
cat '${folder}/statements' 2>/dev/null || { echo "THE DATABASE IS NOT NEUTRALIZED" >&2; exit 1; }
`;
  await writeFile(join(folder, 'odoo'), script, { mode: 0o755 });
  const ssh = await startOwnSshd(sandbox, { PATH: `${folder}:/usr/local/bin:/usr/bin:/bin` });
  return {
    ssh,
    prints: (sql) =>
      sql === undefined
        ? rm(join(folder, 'statements'), { force: true })
        : writeFile(join(folder, 'statements'), sql),
    [Symbol.asyncDispose]: () => ssh[Symbol.asyncDispose](),
  };
}
