import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { madeOnce, versionOf } from './made-once.ts';
import { archive, keepOnly, slimTables } from './odoo.ts';
import { bootRootedHost, type RootedHost } from './rooted-host.ts';
import type { Sandbox } from './sandbox.ts';

/** What of a host is in the image. */
const CONTENT = ['etc/odoo', 'var/lib/odoo', 'var/lib/postgresql/cluster'];

/**
 * The slim fixture's Odoo with its PostgreSQL cluster, as rooted hosts have them: a tar archive. To load the fixture takes
 * ten times as long as to unpack this. @returns its path
 */
export async function rootedImage(sandbox: Sandbox): Promise<string> {
  const { bin } = sandbox.postgres;
  const names = ['rooted-image.ts', 'rooted-host.ts', 'rooted-host.sh', 'odoo.ts'];
  const files = [archive, ...names.map((name) => join(import.meta.dirname, name))];
  return madeOnce('rooted', { texts: [await versionOf(bin)], files }, (path) => makeImage(path, sandbox));
}

async function makeImage(path: string, sandbox: Sandbox): Promise<void> {
  await using host = await bootRootedHost(sandbox, '', undefined);
  await installOdoo(host);
  const asPostgres = ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'];
  const cluster = '/var/lib/postgresql/cluster';
  const program = (name: string) => [...asPostgres, join(sandbox.postgres.bin, name), '-D', cluster];
  await host.exec([...program('pg_ctl'), '-m', 'fast', '-w', 'stop']);
  await host.exec(program('pg_resetwal')); // the log of what was loaded is larger than all else
  await using file = await open(path, 'w');
  await host.exec(['tar', '-cC', '/', ...CONTENT], undefined, file.fd);
}

/** Restores the fixture as odoo, makes it slim, and gives the files the modes that Odoo gives them. */
async function installOdoo({ exec, database, filestore }: RootedHost): Promise<void> {
  const conf = '[options]\ndb_host = False\ndb_port = False\ndb_user = odoo\ndb_password = False\n';
  await exec(['sh', '-c', 'cat >/run/odoo.zip'], createReadStream(archive));
  const configure =
    'mkdir /etc/odoo && cd /etc/odoo && cat >odoo.conf && chmod 640 odoo.conf && chown odoo: odoo.conf';
  await exec(['sh', '-ec', configure], conf);
  const psql = `psql -Xqo /dev/null -v ON_ERROR_STOP=1 -d ${database}`;
  const load = `createdb ${database} && unzip -p /run/odoo.zip dump.sql | ${psql}`;
  const unpack = `umask 077 && mkdir -p ${filestore} && cd ${filestore}/.. &&
    unzip -q /run/odoo.zip 'filestore/*' -d ${database} && mv ${database}/filestore/* ${database} && rmdir ${database}/filestore`;
  await exec(['chmod', '644', '/run/odoo.zip']);
  const asOdoo = (script: string, input?: string) =>
    exec(['runuser', '-u', 'odoo', '--', 'bash', '-ec', script], input);
  await Promise.all([load, unpack].map((script) => asOdoo(script)));
  await asOdoo(psql, keepOnly(slimTables));
}
