import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, suite, test } from 'node:test';
import type { Run } from '../support/backup-run.ts';
import { type Content, CopyScene } from '../support/copy-scene.ts';
import { holdLock, holdRename } from '../support/hold-lock.ts';
import { type S3Proxy, startS3Proxy } from '../support/s3-proxy.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { untilNoSession, untilSession, waitingWith } from '../support/until-waits.ts';

/** A step of a restore to a new name, by the title of the log; each is held while it is at work. */
const STEPS = [
  'create',
  'load',
  'filestore',
  'check',
  'identity',
  'place filestore',
  'place database',
] as const;
type StepName = (typeof STEPS)[number];

suite('a restore to a new name that is cut', () => {
  let scene: CopyScene;
  let s3: S3Proxy;
  let line: TcpProxy;
  let content: Content;
  let resources: AsyncDisposableStack;
  before(async () => {
    await using opened = new AsyncDisposableStack();
    scene = opened.use(await CopyScene.open());
    await scene.sql(gate(roleOf(scene)));
    content = await scene.content();
    await scene.odoo.succeeds('backup');
    // The archive alone has it: the filestore step has to fetch.
    const [file = ''] = [...(await scene.odoo.files()).keys()].filter((name) => name.includes('/'));
    await rm(join(scene.odoo.scene.odoo.filestore, file));
    s3 = opened.use(await startS3Proxy(scene.odoo.scene.sandbox.s3));
    line = opened.use(await scene.odoo.line());
    resources = opened.move();
  });
  after(() => resources?.disposeAsync());
  beforeEach(() => {
    s3.rules = [];
    line.faults = {};
  });

  const target = () => scene.named('cut');
  /** What the run that is under way has made. */
  async function builtName(): Promise<string> {
    const { databases } = await scene.odoo.traces();
    const names = databases.map((each) => each.split('|')[0] ?? '');
    return names.findLast((name) => name.startsWith(`${target()}__new_`)) ?? assert.fail('nothing is built');
  }

  /** Waits until a session does, or waits for, what this says of pg_stat_activity. */
  const until = (run: Run, condition: string) =>
    untilSession(scene.odoo.scene.sandbox.postgres, run, condition);
  /** Until what waited has come to its end. */
  const gone = (waiting: string) => {
    const condition = waiting.replace("wait_event_type = 'Lock'", "state = 'active'");
    return untilNoSession(scene.odoo.scene.sandbox.postgres, condition);
  };

  /** A run that is at work in a step, and stays there until it is let go. */
  interface Held extends AsyncDisposable {
    readonly run: Run;
    /** What a session of PostgreSQL is at, that goes on by itself once the hold is over. */
    readonly waiting: string | undefined;
  }

  /** Starts a run and leads it to the step, from hold to hold: the next one is there before the last one ends. */
  async function heldIn(step: StepName): Promise<Held> {
    const { postgres } = scene.odoo.scene.sandbox;
    const start = () =>
      scene.odoo.start('restore', {
        ...{ 'stop-command': '', 'start-command': '', 'target-database': target() },
        ...{ 'ssh-port': String(line.port), 's3-endpoint': s3.endpoint },
      });
    await using holds = new AsyncDisposableStack();
    /** Ends the hold before. */
    let letGo: () => Promise<void> = async () => {};
    const next = async (hold: AsyncDisposable | undefined) => {
      await letGo();
      if (hold) holds.use(hold);
      letGo = async () => hold?.[Symbol.asyncDispose]();
    };
    const at = (run: Run, waiting?: string): Held => {
      const kept = holds.move();
      return { run, waiting, [Symbol.asyncDispose]: () => kept.disposeAsync() };
    };

    if (step === 'create') {
      holds.use(once(await holdLock(postgres, 'postgres', 'ALTER DATABASE template0 RENAME TO held')));
      const run = start();
      const waiting = waitingWith(`CREATE DATABASE "${target()}__new_`);
      await until(run, waiting);
      return at(run, waiting);
    }

    const role = roleOf(scene);
    await scene.sql(`CREATE ROLE "${role}"`, 'postgres');
    await next(
      once({ [Symbol.asyncDispose]: () => scene.sql(`DROP ROLE "${role}"`, 'postgres').then(() => {}) }),
    );
    const run = start();
    await until(run, `datname LIKE '${target()}\\_\\_new\\_%' AND wait_event = 'PgSleep'`);
    const built = await builtName();
    const inBuilt = `datname = '${built}' AND `;
    if (step === 'load') return at(run, `${inBuilt}wait_event = 'PgSleep'`);

    const answered = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const withheld = async () => {
      asked.resolve();
      await answered.promise;
    };
    s3.rules = [{ when: ({ method }) => method === 'GET', fault: { kind: 'withhold', until: withheld } }];
    await next(once({ [Symbol.asyncDispose]: async () => answered.resolve() }));
    await Promise.race([asked.promise, run.ended]);
    assert.match(run.log, /^Build the filestore/m);
    assert.doesNotMatch(run.log, /^Compare the new/m);
    if (step === 'filestore') return at(run);

    const lock = (statement: string, database: string = built) =>
      holdLock(postgres, database, statement).then(once);
    switch (step) {
      case 'check':
        await next(await lock('LOCK TABLE res_partner IN ACCESS EXCLUSIVE MODE'));
        return await waitingFor(`${inBuilt}wait_event_type = 'Lock'`);
      case 'identity':
        await next(await lock('LOCK TABLE ir_config_parameter, ir_cron IN EXCLUSIVE MODE'));
        return await waitingFor(`${inBuilt}wait_event_type = 'Lock'`);
      case 'place filestore':
        await next(await lock(`COMMENT ON DATABASE "${built}" IS 'held'`, 'postgres'));
        return await waitingFor(waitingWith(`COMMENT ON DATABASE "${built}"`));
      case 'place database':
        await next(once(await holdRename(postgres, built)));
        return await waitingFor(waitingWith(`ALTER DATABASE "${built}" RENAME`));
    }

    async function waitingFor(condition: string): Promise<Held> {
      await until(run, condition);
      return at(run, condition);
    }
  }

  for (const step of STEPS) {
    test(`in the step ${step}, by its line: everything is taken back`, async () => {
      const before = await scene.odoo.traces();
      await using held = await heldIn(step);
      const { run, waiting = '' } = held;
      switch (step) {
        case 'create': // taken back while that still waits
          line.cut();
          await run.ended;
          await held[Symbol.asyncDispose]();
          break;
        case 'place database': // and here until the built one is to be dropped
          line.cut();
          await until(run, waitingWith('DROP DATABASE'));
          await held[Symbol.asyncDispose]();
          break;
        default: // taken back when what was under way has come to its end
          run.child.kill('SIGSTOP');
          line.cut();
          await held[Symbol.asyncDispose]();
          if (waiting !== '') await gone(waiting);
          run.child.kill('SIGCONT');
      }
      const { exitCode, log } = await run.ended;
      if (waiting !== '') await gone(waiting);
      assert.equal(exitCode, 1, log);
      assert.match(log, /Connection to .* was lost/);
      assert.match(log, /The connection is gone: logging in once more/);
      assert.deepEqual(await scene.odoo.traces(), before, log);
    });
  }

  /** Nothing bears the name, and Odoo has what it had. @param placed the filestore has its name already */
  async function assertUntouched(placed: boolean): Promise<void> {
    const { databases, folders } = await scene.odoo.traces();
    const live = (names: readonly string[]) => names.filter((each) => !each.includes('__new_'));
    assert.deepEqual(live(databases), [`${scene.odoo.database}|t|f|`]);
    assert.deepEqual(live(folders), [scene.odoo.database, ...(placed ? [target()] : [])]);
  }

  for (const [i, step] of STEPS.entries()) {
    test(`in the step ${step}, by the end of the runner: nothing has the name, and the next run cleans up`, async () => {
      await using held = await heldIn(step);
      const { run, waiting = 'false' } = held;
      if (i > 0) assert.match(run.log, /^Clean up after a run that was killed/m);
      run.child.kill('SIGKILL');
      await run.ended;
      if (step === 'place database') {
        await scene.sql(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${waiting}`,
          'postgres',
        );
      }
      await held[Symbol.asyncDispose]();
      await gone(waiting);
      await scene.odoo.untilQuiet(target());
      await assertUntouched(step === 'place database');
    });
  }

  test('in its last step, by the end of the runner: what waits for a lock goes on, and it is complete', async () => {
    await using held = await heldIn('place database');
    assert.match(held.run.log, /^ +take \S+_cut back: its database never had its name$/m);
    held.run.child.kill('SIGKILL');
    await held.run.ended;
    await held[Symbol.asyncDispose]();
    await scene.odoo.untilQuiet(target());
    const { databases, folders } = await scene.odoo.traces();
    assert.deepEqual(databases, [`${scene.odoo.database}|t|f|`, `${target()}|t|f|`]);
    assert.deepEqual(folders, [scene.odoo.database, target()]);
    await scene.sql(`DROP DATABASE "${target()}"`, 'postgres');
    await rm(scene.filestoreOf(target()), { recursive: true });
  });

  test('is made by the next one, as if nothing had been', async () => {
    await scene.restoreUnchanged('cut');
    await scene.assertContent('cut', content);
    const { databases, folders } = await scene.odoo.traces();
    assert.deepEqual(databases, [`${scene.odoo.database}|t|f|`, `${target()}|t|f|`]);
    assert.deepEqual(folders, [scene.odoo.database, target()]);
  });
});

const roleOf = (scene: CopyScene): string => `hold_${scene.odoo.database}`;

/** A table whose rows are loaded when that role is gone. */
const gate = (role: string): string => `CREATE FUNCTION passed() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    WHILE EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') LOOP PERFORM pg_sleep(0.02); END LOOP;
    RETURN true; END $$;
  CREATE TABLE gate (id integer CHECK (passed())); INSERT INTO gate VALUES (1);
  ALTER FUNCTION passed() OWNER TO odoo; ALTER TABLE gate OWNER TO odoo`;

/** However often it is disposed of. */
function once(resource: AsyncDisposable): AsyncDisposable {
  let done: Promise<void> | undefined;
  return {
    [Symbol.asyncDispose]: () => {
      done ??= Promise.resolve(resource[Symbol.asyncDispose]());
      return done;
    },
  };
}
