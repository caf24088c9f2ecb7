import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Ended, jsonOf } from './backup-run.ts';
import type { OdooMajor } from './odoo-host.ts';
import { OdooScene } from './odoo-scene.ts';
import type { RehearsalResult } from './rehearsal-scene.ts';

/** The new code, beside the code in use. */
const NEXT = '/opt/erp-next';
const withNext = `odoo --addons-path=/usr/lib/python3/dist-packages/odoo/addons,${NEXT}`;
const deploy = {
  services: 'odoo',
  'rehearse-command': `${withNext} --update ticket --stop-after-init`,
  'rehearse-start': `exec ${withNext}`,
  'health-check': 'odoo within 10m',
};

const resultOf = ({ stdout }: Ended): RehearsalResult => {
  const line = stdout.split('\n').find((each) => each.startsWith('json=')) ?? '';
  return jsonOf({ stdout: line.slice('json='.length) });
};

/** Deploys on a real Odoo that are rehearsed: one that works, and one that does not. */
export function rehearsalSuite(odoo: OdooMajor): void {
  suite(`a deploy that is rehearsed on Odoo ${odoo}`, { concurrency: false }, () => rehearsals(odoo));
}

function rehearsals(odoo: OdooMajor): void {
  let scene: OdooScene;
  let traces: string;
  before(async () => {
    scene = await OdooScene.open(odoo);
    await scene.enter('shop.ticket', { subject: 'printer', hours: 1.5 }, 'name');
    await scene.shell(`install -d -o deploy ${NEXT}
      runuser -u deploy -- git clone --quiet --no-hardlinks --branch main /srv/erp.git ${NEXT}`);
    await scene.succeeds('backup');
    traces = await tracesOf();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  /** What a rehearsal may not change: databases, filestores, temporary files, programs of Odoo, and since when Odoo runs. */
  const tracesOf = () =>
    scene.shell(`runuser -u postgres -- psql -XAtc 'SELECT datname FROM pg_database ORDER BY 1'
      ls /var/lib/odoo/.local/share/Odoo/filestore /tmp /var/tmp
      systemctl show --property=ExecMainStartTimestamp odoo
      pgrep -c -f bin/odoo`);

  async function assertUntouched(): Promise<void> {
    assert.equal(await tracesOf(), traces);
    const tickets = await scene.call<object[]>('shop.ticket', 'search_read', [[], ['name', 'hours']]);
    assert.deepEqual(
      tickets.map((each) => ({ ...each, id: 0 })),
      [{ id: 0, name: 'TICKET/00001', hours: 1.5 }],
    );
  }

  test('works where its migration does, and the Odoo in use goes on', async () => {
    const ended = await scene.succeeds('rehearse', deploy);
    const { result, migration, boot, errors } = resultOf(ended);
    assert.deepEqual([result, errors], ['works', 0], ended.log);
    assert.ok((migration?.seconds ?? 0) > 0);
    assert.match(boot?.answer ?? '', /\/web\/login answers 200$/);
    assert.match(ended.log, /Neutralize the copy/);
    await assertUntouched();
  });

  test('fails where its migration does, with the end of the traceback', async () => {
    await scene.shell(`runuser -u deploy -- git -C ${NEXT} switch --quiet broken`);
    const ended = await scene.fails(
      'rehearse',
      deploy,
      /^error: rehearse-command failed after .*\(exit code \d+\): psycopg2\.errors\.UndefinedColumn: column "priority"/m,
    );
    const { result, lastLines } = resultOf(ended);
    assert.equal(result, 'failed');
    assert.ok(lastLines.includes('Traceback (most recent call last):'), ended.log);
    await assertUntouched();
  });

  test('of no code at all shows that Odoo starts on the backup', async () => {
    const ended = await scene.succeeds('rehearse', { services: 'odoo', 'health-check': 'odoo within 10m' });
    assert.equal(resultOf(ended).migration, null);
    assert.match(ended.log, new RegExp(`Start Odoo on the copy\\n +\\S*odoo, Odoo ${odoo}`));
    await assertUntouched();
  });
}
