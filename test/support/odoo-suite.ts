import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type Ended, jsonOf, outputsOf } from './backup-run.ts';
import type { OdooMajor } from './odoo-host.ts';
import { OdooScene } from './odoo-scene.ts';
import { run } from './processes.ts';
import type { RehearsalResult } from './rehearsal-scene.ts';
import { getObject, listKeys } from './s3.ts';

const codeCommand = await readFile(new URL('../../templates/code/git-checkouts.sh', import.meta.url), 'utf8');
const rollback = {
  services: 'odoo',
  'code-command': codeCommand,
  'keep-sequences': 'true',
  salvage: 'true',
};

/** A deploy on a real Odoo, and the way back: the data, the code, the numbers, and what was entered since. */
export function odooSuite(odoo: OdooMajor): void {
  suite(`a deploy on Odoo ${odoo}, and the way back`, { concurrency: false }, () => wayBack(odoo));
}

function wayBack(odoo: OdooMajor): void {
  const on = (version: OdooMajor) => ({ skip: odoo !== version && `tried on Odoo ${version}` });
  let scene: OdooScene;
  let [first, second] = ['', ''];
  before(async () => {
    scene = await OdooScene.open(odoo);
    first = await scene.commit();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const ticket = (subject: string, values: Record<string, unknown> = {}) =>
    scene.enter('shop.ticket', { subject, ...values }, 'name', 'subject');
  const tickets = (...fields: readonly string[]) =>
    scene.call<Record<string, unknown>[]>('shop.ticket', 'search_read', [[], ['name', ...fields]], {
      order: 'name',
    });
  const fieldsOf = async (model: string) =>
    Object.keys(await scene.call<object>(model, 'fields_get', [[], ['type']]));

  test('a backup records the code: the commit of each checkout, and the package of Odoo', async () => {
    await ticket('printer', { hours: 1.5 });
    await ticket('network', { hours: 2 });
    const ended = await scene.succeeds('backup');
    const { json = '', 'odoo-version': version } = outputsOf(ended);
    assert.equal(version, `${odoo}.0`);
    const { checkouts, packages } = JSON.parse(json).code;
    assert.deepEqual(checkouts, [
      { path: '/opt/erp', commit: first, branch: 'main', remote: '/srv/erp.git', dirty: false },
    ]);
    assert.match(packages[`odoo-${odoo}`], new RegExp(`^${odoo}\\.0`));
  });

  test('an Odoo that does not answer says nothing against the archive', on(19), async () => {
    const traces = await scene.traces();
    await scene.shell('echo import nothing_of_that_name >>/opt/erp/ticket/__init__.py');
    await scene.fails(
      'verify',
      { verify: 'boot', 'health-check': 'odoo within 30s' },
      /ModuleNotFoundError: No module named 'nothing_of_that_name'/,
      /Odoo does not (answer|start) on shop__/,
    );
    const verdict = await scene.succeeds('gate', { database: 'shop', require: 'restore' });
    assert.equal(outputsOf(verdict).verified, 'restore');
    await scene.shell('cd /opt/erp && runuser -u deploy -- git checkout --quiet .');
    await scene.assertTraces(traces);
  });

  test(
    'Odoo answers on what the backup restores: the level boot, with the measured recovery time',
    on(19),
    async () => {
      const traces = await scene.traces();
      const ended = await scene.succeeds('verify', { verify: 'boot' });
      const { verified, 'restore-seconds': seconds, json = '' } = outputsOf(ended);
      const [{ level, recoverySeconds, restoreSeconds, programs }] = JSON.parse(json);
      assert.deepEqual([verified, level, programs.odoo], ['boot', 'boot', String(odoo)]);
      assert.equal(seconds, String(recoverySeconds));
      assert.ok(restoreSeconds > 0 && recoverySeconds > restoreSeconds, json);
      assert.match(ended.log, /\/web\/login answers 200/);
      await scene.assertTraces(traces);
      await scene.succeeds('gate', { database: 'shop', require: 'boot', 'max-restore': '1d' });
    },
  );

  /** What a rehearsal may not change of the Odoo in use, and what it says. */
  async function rehearsed(run: () => Promise<Ended>): Promise<{ ended: Ended; json: RehearsalResult }> {
    const inUse = async () => [await tickets('hours'), await scene.commit()];
    const [before, traces] = [await inUse(), await scene.traces()];
    const ended = await run();
    assert.deepEqual(await inUse(), before);
    await scene.assertTraces(traces);
    const line = ended.stdout.split('\n').find((each) => each.startsWith('json=')) ?? '';
    return { ended, json: jsonOf({ stdout: line.slice('json='.length) }) };
  }

  test('a rehearsal of an update that works says so; the Odoo in use goes on', async () => {
    // Odoo warns of nothing that the program itself sets. What 14 warns of is the field that the migration drops.
    const failOn = { 'rehearse-fail-on': odoo === 14 ? 'error' : 'warning' };
    const inputs = { ...(await scene.rehearsalOf('main')), ...failOn, 'health-check': 'odoo within 10m' };
    const { ended, json } = await rehearsed(() => scene.succeeds('rehearse', inputs));
    const { result, migration, boot, errors } = json;
    assert.deepEqual([result, errors], ['works', 0], ended.log);
    assert.ok((migration?.seconds ?? 0) > 0);
    assert.match(boot?.answer ?? '', /\/web\/login answers 200$/);
    assert.match(ended.log, /\/web\/login answers 200/);
    assert.match(ended.log, /Neutralize the copy/);
  });

  test('a rehearsal of an update that breaks shows why, with the end of the traceback', async () => {
    const inputs = { ...(await scene.rehearsalOf('broken')), services: 'odoo' };
    const { ended, json } = await rehearsed(() =>
      scene.fails(
        'rehearse',
        inputs,
        /pre-migrate\.py", line 2, in migrate/,
        /^error: rehearse-command failed after .*\(exit code \d+\): psycopg2\.errors\.UndefinedColumn: column "priority" of relation "shop_ticket" does not exist/m,
      ),
    );
    assert.equal(json.result, 'failed');
    assert.ok(json.lastLines.includes('Traceback (most recent call last):'), ended.log);
  });

  test('a rehearsal of no code at all shows that Odoo starts on the backup', on(14), async () => {
    const inputs = { services: 'odoo', 'health-check': 'odoo within 10m' };
    const { ended, json } = await rehearsed(() => scene.succeeds('rehearse', inputs));
    assert.equal(json.migration, null);
    assert.match(ended.log, new RegExp(`Start Odoo on the copy\\n +\\S*odoo, Odoo ${odoo}`));
  });

  test('a dry run says what would be lost, and which code comes back', async () => {
    await ticket('before the deploy');
    await scene.deploy();
    second = await scene.commit();
    assert.notEqual(second, first);
    const [france] = await scene.call<number[]>('res.country', 'search', [[['code', '=', 'FR']]]);
    const [partner] = await scene.call<number[]>('res.partner', 'create', [
      [{ name: 'Azure Interior, Ltd', country_id: france }],
    ]);
    await ticket('after the deploy', { minutes: 30, partner_id: partner });
    const { log } = await scene.succeeds('rollback', { ...rollback, 'dry-run': 'true' });
    assert.match(log, /Entered since .*2 Ticket \(TICKET\/00003 to 00004\)/);
    assert.match(log, /Entered since .*Contact: 1 created/);
    assert.match(log, /Entered since .*by admin; last entry/);
    assert.match(log, /since the backup: .*Tickets: 4/);
    const commits = `${second.slice(0, 8)} \\(main\\), the backup was made with ${first.slice(0, 8)}: 1 commit before`;
    assert.match(log, new RegExp(`/opt/erp is at ${commits}`));
    assert.match(log, /Stop Odoo\n.*Switch the code to that of the backup\n.*Start Odoo/s);
    assert.equal(await scene.commit(), second);
    assert.equal((await tickets()).length, 4);
  });

  test(
    'a rollback whose code does not come back leaves the deploy as it was, and Odoo answers',
    on(14),
    async () => {
      await scene.fails(
        'rollback',
        { ...rollback, 'code-command': 'echo no such commit >&2; exit 3' },
        /Switch the code to that of the backup failed: .*no such commit/s,
      );
      assert.equal(await scene.commit(), second);
      assert.deepEqual(
        (await tickets('minutes')).map(({ name, minutes }) => [name, minutes]),
        [
          ['TICKET/00001', 90],
          ['TICKET/00002', 120],
          ['TICKET/00003', 0],
          ['TICKET/00004', 30],
        ],
      );
    },
  );

  test('a rollback brings back the data and the code, and no number is given twice', async () => {
    const ended = await scene.succeeds('rollback', rollback);
    assert.match(ended.log, /The code is that of the backup/);
    assert.match(ended.log, /\/web\/login answers 200/);
    assert.ok(Number(outputsOf(ended).downtime) > 0);
    assert.equal(await scene.commit(), first);
    const fields = await fieldsOf('shop.ticket');
    assert.deepEqual([fields.includes('hours'), fields.includes('minutes')], [true, false]);
    assert.deepEqual(
      (await tickets('hours')).map(({ name, hours }) => [name, hours]),
      [
        ['TICKET/00001', 1.5],
        ['TICKET/00002', 2],
      ],
    );
    assert.equal((await ticket('after the rollback')).name, 'TICKET/00005');
  });

  test('Odoo’s own import takes what was salvaged', async () => {
    const keys = await listKeys(scene.client, scene.bucket);
    const [key = ''] = keys.filter((each) => each.endsWith('_salvage.zip'));
    const folder = await mkdtemp(join(tmpdir(), 'salvage-'));
    try {
      await writeFile(join(folder, 'salvage.zip'), await getObject(scene.client, scene.bucket, key));
      await run(['unzip', '-q', join(folder, 'salvage.zip'), '-d', folder]);
      const names = (await run(['unzip', '-Z1', join(folder, 'salvage.zip')])).split('\n');
      const files = names.filter((name) => name.endsWith('.csv'));
      assert.deepEqual(files, ['000_ir.model.data.csv', '001_res.partner.csv', '002_shop.ticket.csv']);
      for (const name of files) {
        const [, model = ''] = /^\d+_(.*)\.csv$/.exec(name) ?? [];
        assert.ok((await scene.import(model, await readFile(join(folder, name), 'utf8'))) > 0, name);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
    const named = [[['name', '=', 'Azure Interior, Ltd']], ['country_id']];
    const [azure] = await scene.call<{ country_id: unknown[] }[]>('res.partner', 'search_read', named);
    assert.equal(azure?.country_id[1], 'France');
    assert.deepEqual(
      (await tickets('subject', 'partner_id')).map(({ name, subject, partner_id: partner }) => [
        name,
        subject,
        Array.isArray(partner) ? partner[1] : partner,
      ]),
      [
        ['TICKET/00001', 'printer', false],
        ['TICKET/00002', 'network', false],
        ['TICKET/00003', 'before the deploy', false],
        ['TICKET/00004', 'after the deploy', 'Azure Interior, Ltd'],
        ['TICKET/00005', 'after the rollback', false],
      ],
    );
  });
}
