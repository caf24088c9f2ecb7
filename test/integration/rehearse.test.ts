import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, suite, test } from 'node:test';
import { logLine, openRehearsal, type RehearsalScene } from '../support/rehearsal-scene.ts';

suite('a rehearsal', () => {
  let scene: RehearsalScene;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rehearse-'));
    scene = await openRehearsal();
  });
  after(async () => {
    await scene?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => scene.logs());

  const file = async (name: string, sql: string): Promise<string> => {
    await writeFile(join(folder, name), sql);
    return join(folder, name);
  };

  /** Nothing of the Odoo in use has changed, and nothing of the copy is there. */
  async function assertUntouched(): Promise<void> {
    assert.deepEqual(await scene.copies(), []);
    assert.deepEqual(await scene.traces(), scene.before);
    assert.deepEqual(await scene.snapshot(), scene.inUse);
  }

  test('runs the migration on a copy, starts Odoo there, checks the data, and drops the copy', async () => {
    await scene.logs(
      logLine('INFO', 'Modules loaded.'),
      logLine('WARNING', 'The model x has no access rules'),
    );
    const none = await file('no-partner-without-name.sql', 'SELECT id FROM res_partner WHERE name IS NULL');
    const some = await file('users.sql', '\uFEFF-- expect: 1..100\nSELECT count(*) FROM res_users;');
    const migrated = await file(
      'migrated.sql',
      "-- expect: 1..\nSELECT count(*) FROM res_partner WHERE ref = 'new'",
    );
    const command = `psql -X -q -c "UPDATE res_partner SET ref = 'new'" && echo '${logLine('ERROR', 'unable to set NOT NULL')}' >&2`;
    const { exitCode, log, json } = await scene.rehearse({
      'rehearse-command': command,
      'rehearse-checks': `${none}\n${some},${migrated}`,
      'rehearse-fail-on': 'failure',
    });
    assert.equal(exitCode, 0, log);
    const [, name = ''] = /copy of \S+ of|rehearse on (\S+__rehearsal_\d{14}),/.exec(log) ?? [];
    assert.match(name, /__rehearsal_\d{14}$/);
    assert.equal(json.result, 'works');
    assert.deepEqual([json.warnings, json.errors], [1, 1]);
    assert.deepEqual(
      json.log.map(({ level, message }) => [level, message]),
      [
        ['ERROR', 'unable to set NOT NULL'],
        ['WARNING', 'The model x has no access rules'],
      ],
    );
    assert.match(json.boot?.answer ?? '', /^http:\/\/127\.0\.0\.1:[23]\d{4}\/web\/login answers 200$/);
    assert.deepEqual(
      json.checks.map(({ passed }) => passed),
      [true, true, true],
    );
    assert.match(
      log,
      /the rehearsal works: \S+ m?s of migration, Odoo answers after \S+ m?s, 3 checks passed, 1 error, 1 warning/,
    );
    await assertUntouched();
  });

  test('says what the command has printed where that is asked for by a failure alone', async () => {
    const { exitCode, log, json } = await scene.rehearse({
      'rehearse-command': `echo 'Loading'; python3 -c '
def migrate(): raise ValueError("column x of 7 rows is empty")
migrate()'`,
    });
    assert.equal(exitCode, 1, log);
    assert.match(
      log,
      /rehearse-command failed after .*\(exit code 1\): ValueError: column x of 7 rows is empty/,
    );
    assert.match(log, /^ +Traceback \(most recent call last\):$/m);
    assert.equal(json.result, 'failed');
    assert.equal(json.boot, null);
    assert.equal(json.lastLines.at(-1), 'ValueError: column x of 7 rows is empty');
    assert.match(log, /The Odoo in use is as it was/);
    await assertUntouched();
  });

  test('gives the environment of libpq and of Odoo, on a copy that is neutral and shares its files', async () => {
    const { log } = await scene.rehearse({
      'rehearse-command': `{ echo "on $PGDATABASE = $ODOO_REHEARSAL_DATABASE"
        psql -X -At -c "SELECT 'crons ' || count(*) FROM ir_cron WHERE active AND id NOT IN (SELECT res_id FROM ir_model_data WHERE model = 'ir.cron' AND name = 'autovacuum_job')"
        psql -X -At -c "SELECT 'neutral ' || value FROM ir_config_parameter WHERE key = 'database.is_neutralized'"
        psql -X -At -c "SELECT 'template ' || datistemplate FROM pg_database WHERE datname = current_database()"
        echo "single $(find "$ODOO_REHEARSAL_FILESTORE" -type f -links 1 | wc -l)"
        grep -E '^(db_name|max_cron_threads|workers) ' "$ODOO_RC"
        data=$(sed -n 's/^data_dir = //p' "$ODOO_RC"); echo "data $(ls "$data") in $(stat -c %a "$(dirname "$data")")"
        [ "$(readlink "$data/filestore/$PGDATABASE")" = "$ODOO_REHEARSAL_FILESTORE" ] && echo 'its filestore'
        stat -c 'mode %a' "$ODOO_REHEARSAL_CONF"
        ps -o ni= -p $$ | sed 's/ *//; s/^/nice /'; }; exit 7`,
    });
    const name = /on (\S+__rehearsal_\d{14}) = \1$/m.exec(log)?.[1];
    assert.ok(name, log);
    for (const line of [
      'crons 0',
      'neutral true',
      'template true',
      'single 0',
      `db_name = ${name}`,
      'max_cron_threads = 0',
      'workers = 0',
      'mode 600',
      'data filestore in 700',
      'its filestore',
      'nice 10',
    ])
      assert.ok(log.includes(`  ${line}\n`), `${line} is not in ${log}`);
    await assertUntouched();
  });

  test('without a command only starts Odoo, and shows why that fails', async () => {
    const started = await scene.rehearse();
    assert.equal(started.exitCode, 0, started.log);
    assert.equal(started.json.migration, null);
    const failed = await scene.rehearse({
      'rehearse-command': 'psql -X -q -c "DROP TABLE res_users CASCADE"',
    });
    assert.equal(failed.exitCode, 1);
    assert.match(
      failed.log,
      /Odoo does not start on \S+__rehearsal_\d+: it ended with exit code 1 before it answered: RuntimeError: \S+ is not initialised: no res_users/,
    );
    await assertUntouched();
  });

  test('starts what it is told to start, and waits no longer than it is told', async () => {
    const ended = await scene.rehearse({ 'rehearse-start': 'echo no >&2; exit 3' });
    assert.equal(ended.exitCode, 1);
    assert.match(ended.log, /it ended with exit code 3 before it answered: no/);
    const mute = await scene.rehearse({ 'rehearse-start': 'sleep 600', 'health-check': 'odoo within 1s' });
    assert.equal(mute.exitCode, 1);
    assert.match(mute.log, /Odoo does not answer on \S+\. Odoo is not healthy after/);
    await assertUntouched();
  });

  test('fails where a check gives what it must not, and where a statement is wrong', async () => {
    const rows = await file('rows.sql', 'SELECT id, login FROM res_users ORDER BY id');
    const bounds = await file('bounds.sql', '-- expect: 0\nSELECT count(*) FROM res_users');
    const { exitCode, log, json } = await scene.rehearse({ 'rehearse-checks': `${rows},${bounds}` });
    assert.equal(exitCode, 1);
    assert.match(
      log,
      /rehearse-checks: \S+rows\.sql gave \d+ rows, expected none: 1\|.*; \S+bounds\.sql gave \d+, expected 0/,
    );
    assert.deepEqual(
      json.checks.map(({ passed }) => passed),
      [false, false],
    );
    const wrong = await file('wrong.sql', '-- what it is about\nSELECT no_such FROM res_users;');
    assert.match(
      (await scene.rehearse({ 'rehearse-checks': wrong })).log,
      /rehearse-checks: \S+wrong\.sql fails in \S+ psql:<stdin>:2: .*no_such/,
    );
    const bare = await file('bare.sql', 'SELECT FROM res_users');
    assert.match(
      (await scene.rehearse({ 'rehearse-checks': bare })).log,
      /bare\.sql gave \d+ rows?, expected none/,
    );
    const quits = await file('quits.sql', '\\q\nSELECT id FROM res_users');
    assert.match(
      (await scene.rehearse({ 'rehearse-checks': quits })).log,
      /quits\.sql does not come to its end/,
    );
    const writes = await file('writes.sql', "UPDATE res_partner SET name = ''");
    assert.match(
      (await scene.rehearse({ 'rehearse-checks': writes })).log,
      /writes\.sql fails in .*read-only transaction/,
    );
    await assertUntouched();
  });

  test('fails for what is in Odoo’s log, as rehearse-fail-on says', async () => {
    await scene.logs(
      logLine('ERROR', 'Some modules are not loaded'),
      'detail',
      logLine('WARNING', 'deprecated'),
    );
    const error = await scene.rehearse();
    assert.equal(error.exitCode, 1);
    assert.match(error.log, /Odoo works on the copy, and its log has 1 error and 1 warning/);
    await scene.logs(logLine('WARNING', 'deprecated'));
    assert.equal((await scene.rehearse()).exitCode, 0);
    assert.equal((await scene.rehearse({ 'rehearse-fail-on': 'warning' })).exitCode, 1);
    await assertUntouched();
  });

  test('that is a dry run shows the plan, and touches nothing', async () => {
    const before = await scene.everything();
    const { exitCode, log, json } = await scene.rehearse({
      'dry-run': 'true',
      'rehearse-command': 'odoo -u all',
    });
    assert.equal(exitCode, 0, log);
    assert.equal(json.result, 'planned');
    for (const line of [
      /Create the database \S+__rehearsal_\d{14}/,
      /undo: drop \S+__rehearsal_/,
      /Neutralize the copy/,
      /Run rehearse-command on the copy\n +odoo -u all/,
      /Start Odoo on the copy/,
      /hard links to what the host has/,
    ])
      assert.match(log, line);
    assert.deepEqual(await scene.everything(), before);
    await assertUntouched();
  });

  test('needs a program of Odoo, or a command that starts it; and a command of the host that is one', async () => {
    const nobody = await scene.rehearse({ 'rehearse-user': 'no-such-account' });
    assert.equal(nobody.exitCode, 1);
    assert.match(nobody.log, /rehearse-user: no command can be run as no-such-account/);
    await assertUntouched();
  });

  test('prints nothing that steers a terminal, whatever the command says', async () => {
    const { exitCode, log, json } = await scene.rehearse({
      'rehearse-command': `printf '\\033]0;title\\007::error::x\\r\\n\\342\\200\\256reversed\\n\\377\\376\\n'
        head -c 30000000 /dev/zero | tr '\\0' x; echo
        echo '${logLine('ERROR', '\\u001b[2Jgone')}'; exit 1`,
    });
    assert.equal(exitCode, 1);
    assert.doesNotMatch(log, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
    assert.ok(log.length < 200_000);
    assert.ok(json.lastLines.every((line) => line.length <= 500));
    await assertUntouched();
  });

  test('does not wait for what a command leaves running, and ends it', async () => {
    const { exitCode, log } = await scene.rehearse({ 'rehearse-command': 'sleep 3600 & echo started' });
    assert.equal(exitCode, 0, log);
    await scene.untilQuiet();
    await assertUntouched();
  });

  test('its checks alone run on the database in use, without a bucket', async () => {
    const good = await file('good.sql', '-- expect: 1..\nSELECT count(*) FROM res_users');
    const inputs = { 'checks-only': 'true', 's3-bucket': '', 's3-endpoint': '', customer: '' };
    const passed = await scene.rehearse({ ...inputs, 'rehearse-checks': good });
    assert.equal(passed.exitCode, 0, passed.log);
    assert.equal(passed.json.checks[0]?.passed, true);
    const bad = await file('bad.sql', 'SELECT id FROM res_partner LIMIT 1');
    const failed = await scene.rehearse({ ...inputs, 'rehearse-checks': `${good},${bad}` });
    assert.equal(failed.exitCode, 1);
    assert.match(failed.log, /rehearse-checks: \S+bad\.sql gave 1 row, expected none/);
    const writes = await file('writes-live.sql', "UPDATE res_partner SET name = ''");
    const refused = await scene.rehearse({ ...inputs, 'rehearse-checks': writes });
    assert.match(refused.log, /read-only transaction/);
    await assertUntouched();
  });
});
