import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatCount } from '../../src/util/format.ts';
import { sqlOf } from '../../test/support/backup-check.ts';
import { psql } from '../../test/support/postgres.ts';
import { checkedOut } from './code.ts';
import type { Stage } from './stage.ts';
import { columns, say } from './story.ts';

/** What the host is like at one moment. */
export interface Look {
  readonly odoo: string;
  /** The commit that is checked out. */
  readonly code: string;
  readonly partner: string;
  /** A digest over every row of every table. */
  readonly rows: string;
  readonly files: string;
  /** A digest of the name and content of every file. */
  readonly contents: string;
}

export async function lookAround({ sandbox, odoo, addons, url }: Stage): Promise<Look> {
  const [answer, code, partner, sql, { count, digest }] = await Promise.all([
    fetch(`${url}/web/login`).then(
      ({ status }) => `answers ${status}`,
      () => 'does not answer',
    ),
    checkedOut(sandbox, addons),
    psql(sandbox.postgres, odoo.database, 'SELECT name FROM res_partner ORDER BY id DESC LIMIT 1'),
    sqlOf(sandbox.postgres, odoo.database),
    digestOf(odoo.filestore),
  ]);
  return {
    odoo: answer,
    code,
    partner,
    rows: createHash('sha256').update(sql).digest('hex').slice(0, 16),
    files: formatCount(count),
    contents: digest,
  };
}

async function digestOf(filestore: string): Promise<{ readonly count: number; readonly digest: string }> {
  const names = (await readdir(filestore, { recursive: true })).filter((name) => /^..\/./.test(name)).sort();
  const hash = createHash('sha256');
  for (const name of names) hash.update(name).update(await readFile(join(filestore, name)));
  return { count: names.length, digest: hash.digest('hex').slice(0, 16) };
}

/** Compares the three moments. @throws Error when the host is not what it was at first */
export async function compareLooks(stage: Stage): Promise<void> {
  stage.looks.push(await lookAround(stage));
  const [before, , now] = stage.looks;
  const row = (name: string, key: keyof Look) => [name, ...stage.looks.map((look) => look[key])];
  columns([
    ['', 'before the deploy', 'after it', 'after the rollback'],
    row('Odoo', 'odoo'),
    row('Code', 'code'),
    row('Newest partner', 'partner'),
    row('All rows, SHA-256', 'rows'),
    row('Files', 'files'),
    row('Their contents, SHA-256', 'contents'),
  ]);
  if (JSON.stringify(now) !== JSON.stringify(before)) throw new Error('The host is not what it was before');
  say('\nEvery row, every file and the code are as they were before the deploy, and Odoo runs.');
}
