import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ContentError, UserError } from '../../src/util/errors.ts';
import { member } from '../support/backup-check.ts';
import type { Made } from '../support/backup-run.ts';
import type { RawInputs } from '../support/inputs.ts';
import { ProofScene } from '../support/proof-scene.ts';

const formats: Readonly<Record<string, RawInputs>> = {
  dual: {},
  odoo: { 'count-tables': 'all' },
  directory: { jobs: '2' },
  custom: { filestore: 'false' },
  plain: { filestore: 'false' },
};

suite('a backup restored on the runner', () => {
  let scene: ProofScene;
  const backups = new Map<string, Made>();
  const madeAs = (format: string): Made => backups.get(format) ?? assert.fail(format);
  before(async () => {
    scene = await ProofScene.open();
    for (const [format, inputs] of Object.entries(formats)) {
      backups.set(format, await scene.backup({ format, ...inputs }));
    }
  });
  after(() => scene?.[Symbol.asyncDispose]());

  /** The archive's dump.sql, changed, in an archive without a receipt. */
  async function withSql(change: (sql: string) => string): Promise<string> {
    const made = madeAs('odoo');
    const sql = (await member(made.path, 'dump.sql')).toString();
    const changed = change(sql);
    assert.notEqual(changed, sql);
    const path = join(await scene.folder('changed'), 'dump.sql');
    await writeFile(path, changed);
    return scene.changed(made, { 'dump.sql': path });
  }

  /** The archive with another backup.json. */
  async function describedAs(change: (description: { extensions: object[]; postgres: object }) => unknown) {
    const made = madeAs('dual');
    const description = JSON.parse((await member(made.path, 'backup.json')).toString());
    change(description);
    const path = join(await scene.folder('changed'), 'backup.json');
    await writeFile(path, JSON.stringify(description));
    return scene.changed(made, { 'backup.json': path });
  }

  const fails = (key: string, why: RegExp): Promise<void> =>
    assert.rejects(scene.prove(key), (error) => {
      assert.ok(error instanceof ContentError, String(error));
      assert.match(error.message, why);
      return true;
    });

  const cannotBeTold = (key: string, ...words: readonly RegExp[]): Promise<void> =>
    assert.rejects(scene.prove(key), (error) => {
      assert.ok(error instanceof UserError && !(error instanceof ContentError), String(error));
      for (const each of words) assert.match(`${error.message} ${error.hint}`, each);
      return true;
    });

  for (const format of Object.keys(formats)) {
    test(`of format ${format} passes`, async () => {
      const { receipt } = madeAs(format);
      const { seconds, programs } = await scene.prove(receipt.key);
      assert.ok(seconds !== undefined && seconds > 0);
      const program = /odoo|plain/.test(format) ? 'psql' : 'pg_restore';
      const server = receipt.postgres.server;
      assert.deepEqual(programs, { postgres: server, [program]: String(Number.parseInt(server, 10)) });
      const log = scene.log.join('\n');
      const tables = Object.keys(receipt.counts).length;
      assert.match(log, new RegExp(`^${tables} tables with [\\d,]+ rows, as in the backup$`, 'm'));
      assert.match(log, /^\d+ sequences at or beyond/m);
      assert.equal(/\d+ files of attachments in the archive/.test(log), !/custom|plain/.test(format), log);
    });
  }

  test('count-tables: all counts every table; core and names, those', async () => {
    const { counts } = madeAs('odoo').receipt;
    const every = await scene.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'");
    assert.equal(Object.keys(counts).length, Number(every));
    assert.ok(Object.keys(madeAs('dual').receipt.counts).length < 30);
    await scene.sql(
      'CREATE SCHEMA extra AUTHORIZATION odoo; SET ROLE odoo; CREATE TABLE extra."odd table" AS SELECT 1',
    );
    try {
      const named = await scene.backup({ 'count-tables': 'res_users, res_lang' });
      assert.deepEqual(Object.keys(named.receipt.counts), ['res_lang', 'res_users']);
      const all = await scene.backup({ 'count-tables': 'all' });
      assert.equal(all.receipt.counts['extra.odd table'], 1);
      await scene.prove(all.receipt.key);
      const misspelt = { 'count-tables': 'res_users,res_usrs' };
      await scene.aside(() => scene.scene.fails(misspelt, 1, /no table res_usrs/));
    } finally {
      await scene.sql('DROP SCHEMA extra CASCADE');
    }
  });

  test('with extensions passes: in a schema, marked immutable, and of superusers alone', async () => {
    await scene.sql(`CREATE SCHEMA extra AUTHORIZATION odoo; CREATE EXTENSION pg_trgm SCHEMA extra;
      CREATE EXTENSION unaccent; ALTER FUNCTION unaccent(text) IMMUTABLE;
      CREATE INDEX partner_unaccent ON res_partner (unaccent(name)); CREATE EXTENSION pg_stat_statements`);
    try {
      const made = await scene.backup();
      await scene.prove(made.receipt.key);
      assert.match(
        scene.log.join('\n'),
        /^Extensions: .*pg_stat_statements [\d.]+, .*pg_trgm [\d.]+, .*unaccent [\d.]+/m,
      );
    } finally {
      await scene.sql('DROP EXTENSION pg_stat_statements, pg_trgm; DROP EXTENSION unaccent CASCADE');
      await scene.sql('DROP SCHEMA extra');
    }
  });

  test('fails where a row is missing', async () => {
    const key = await withSql((sql) => sql.replace(/^(COPY public\.ir_config_parameter .*\n).*\n/m, '$1'));
    await fails(key, /ir_config_parameter has \d+ rows instead of \d+/);
  });

  test('fails where a sequence is behind its table, unless it was before', async () => {
    const reset = /setval\('public\.res_users_id_seq', \d+, true\)/;
    const key = await withSql((sql) => sql.replace(reset, "setval('public.res_users_id_seq', 1, true)"));
    await fails(key, /the sequence res_users_id_seq is at 1, and res_users\.id goes up to \d+/);
    const last = await scene.sql('SELECT last_value FROM res_lang_id_seq');
    await scene.sql("SELECT setval('res_lang_id_seq', 1)");
    try {
      const made = await scene.backup();
      await scene.prove(made.receipt.key);
      assert.match(scene.log.join('\n'), /but for 1 that were not when it was backed up/);
    } finally {
      await scene.sql(`SELECT setval('res_lang_id_seq', ${last})`);
    }
  });

  test('fails where a file of an attachment is not in the archive', async () => {
    const name = await scene.sql('SELECT min(store_fname) FROM ir_attachment');
    const key = await scene.changed(madeAs('dual'), { [`filestore/${name}`]: null });
    await fails(key, new RegExp(`the archive lacks 1 file of attachments: ${name}`));
  });

  test('fails where the dump is cut', async () => {
    const made = madeAs('dual');
    const dump = await member(made.path, '*.dump');
    const path = join(await scene.folder('changed'), 'cut.dump');
    await writeFile(path, dump.subarray(0, dump.length * 0.6));
    await fails(await scene.changed(made, { '*.dump': path }), /The dump cannot be restored/);
    await fails(await withSql((sql) => sql.slice(0, sql.length * 0.6)), /dump\.sql is not complete/);
  });

  test('fails where the dump goes against its own constraints', async () => {
    const key = await withSql((sql) =>
      sql.replace(/^(COPY public\.ir_config_parameter .*\n)(.*\n)/m, '$1$2$2'),
    );
    await fails(key, /could not create unique index/);
  });

  test('that asks for an extension which the runner lacks is not judged', async () => {
    const key = await describedAs(({ extensions }) =>
      extensions.push({ name: 'postgis_absent', version: '3.3.2', schema: 'public' }),
    );
    await cannotBeTold(
      key,
      /lacks the extension postgis_absent/,
      /postgresql-\d+-postgis-3/,
      /postgis\/postgis:\d+/,
    );
  });

  test('that asks for a newer PostgreSQL is not judged', async () => {
    const key = await describedAs(({ postgres }) => Object.assign(postgres, { server: '99.1' }));
    await cannotBeTold(key, /no PostgreSQL 99 or newer on the runner/, /postgres-binaries-url/);
  });

  test('cannot run programs, and that is no failure of the archive', async () => {
    const mark = join(scene.tmp, 'mark');
    const key = await withSql((sql) =>
      sql.replace(/^--\n-- PostgreSQL database dump complete/m, (end) => {
        return `CREATE TABLE public.hostile (a text);\nDO $do$ BEGIN COPY public.hostile FROM PROGRAM 'touch ${mark}'; END $do$;\n${end}`;
      }),
    );
    await cannotBeTold(key, /must be superuser|permission denied/, /restore-test/);
    assert.ok(!existsSync(mark));
  });

  test('gets another locale where the runner lacks its own', async () => {
    const key = await describedAs(({ postgres }) =>
      Object.assign(postgres, { collate: 'xx_XX', ctype: 'xx_XX' }),
    );
    await scene.prove(key);
    assert.match(scene.log.join('\n'), /has the locale C\.UTF-8: the runner lacks xx_XX/);
  });

  for (const [when, begun] of [
    ['at once', async () => true],
    ['while the server starts', async () => (await readdir(scene.tmp)).length > 0],
    ['while it loads', async () => scene.log.some((line) => line.startsWith('PostgreSQL'))],
    ['while it compares', async () => scene.log.some((line) => line.startsWith('Restored'))],
  ] as const) {
    test(`is cancelled ${when}: nothing is left`, async () => {
      const cancel = new AbortController();
      const reason = new Error('SIGTERM');
      const proving = scene.prove(madeAs('dual').receipt.key, undefined, cancel.signal);
      const rejected = assert.rejects(proving, reason);
      while (!(await begun())) await sleep(1);
      cancel.abort(reason);
      await rejected;
    });
  }
});
