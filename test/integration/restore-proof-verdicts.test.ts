import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ContentError, UnrestorableError, UserError } from '../../src/util/errors.ts';
import type { RestoreTest } from '../../src/verify/restore/restore-test.ts';
import { type FrenchServer, startFrenchServer } from '../support/french-server.ts';
import { onRunner, ProofScene } from '../support/proof-scene.ts';

/** What a database holds, what takes it away again, and what a restore test has to say of it. */
interface Case {
  readonly title: string;
  readonly make: string;
  readonly drop: string;
  /** undefined: nothing is proven. */
  readonly why: RegExp | undefined;
}

const CASES: readonly Case[] = [
  {
    title: 'a connection that is ended while it loads',
    make: `CREATE FUNCTION ends() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
             RETURN current_database() ~ '__test_' AND pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()); END $$;
           CREATE MATERIALIZED VIEW ended AS SELECT public.ends()`,
    drop: 'DROP MATERIALIZED VIEW ended; DROP FUNCTION ends',
    why: undefined,
  },
  {
    title: 'a right that is missing',
    make: `CREATE FUNCTION reads() RETURNS text LANGUAGE sql AS $$ SELECT pg_catalog.pg_read_file('/etc/hostname') $$;
           CREATE MATERIALIZED VIEW read AS SELECT public.reads()`,
    drop: 'DROP MATERIALIZED VIEW read; DROP FUNCTION reads',
    why: undefined,
  },
  {
    title: 'a function without a schema, in an index',
    make: `CREATE FUNCTION inner_f(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
           CREATE FUNCTION outer_f(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN inner_f(t); END $$;
           CREATE INDEX unqualified ON res_partner (outer_f(name))`,
    drop: 'DROP INDEX unqualified; DROP FUNCTION outer_f, inner_f',
    why: /uses a name without its schema.*inner_f/,
  },
  {
    title: 'a table without a schema, in a materialized view',
    make: `CREATE FUNCTION counts() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM res_lang';
           CREATE MATERIALIZED VIEW counted AS SELECT public.counts()`,
    drop: 'DROP MATERIALIZED VIEW counted; DROP FUNCTION counts',
    why: /uses a name without its schema.*res_lang/,
  },
  {
    title: 'a function without a schema, in a generated column',
    make: `CREATE FUNCTION inner_f(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
           CREATE FUNCTION outer_f(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN inner_f(t); END $$;
           CREATE TABLE generated (a text, b text GENERATED ALWAYS AS (outer_f(a)) STORED); INSERT INTO generated VALUES ('x');
           ALTER TABLE generated OWNER TO odoo`,
    drop: 'DROP TABLE generated; DROP FUNCTION outer_f, inner_f',
    why: /uses a name without its schema.*inner_f/,
  },
  {
    title: 'an event trigger',
    make: `CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
           CREATE EVENT TRIGGER watcher ON ddl_command_end EXECUTE FUNCTION on_ddl()`,
    drop: 'DROP EVENT TRIGGER watcher; DROP FUNCTION on_ddl',
    why: /only a superuser may make what it holds: EVENT TRIGGER watcher/,
  },
  {
    title: 'rows that break its own rules',
    make: `CREATE TABLE twice (a int); INSERT INTO twice VALUES (1), (1); ALTER TABLE twice OWNER TO odoo;
           CREATE FUNCTION once() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
             IF current_database() ~ '__test_' THEN RAISE EXCEPTION 'not here'; END IF; RETURN true; END $$;
           ALTER TABLE twice ADD CHECK (once())`,
    drop: 'DROP TABLE twice; DROP FUNCTION once',
    why: /PostgreSQL refuses what it holds: not here/,
  },
];

suite('what a restore test says of a good archive', () => {
  let scene: ProofScene;
  let french: FrenchServer;
  before(async () => {
    [scene, french] = await Promise.all([ProofScene.open(), startFrenchServer()]);
  });
  after(async () => {
    await french?.[Symbol.asyncDispose]();
    await scene?.[Symbol.asyncDispose]();
  });

  const onFrench = (): RestoreTest => {
    const { server } = french;
    const { name: user, password } = server.odoo;
    const settings = { host: server.host, port: server.port, user, password };
    return { kind: 'server', settings, database: 'postgres' };
  };
  /** pg_restore from a file, psql, and both places. */
  const places = (): readonly (readonly [format: string, RestoreTest])[] => [
    ['dual', onRunner],
    ['custom', onFrench()],
    ['plain', onFrench()],
  ];

  for (const { title, make, drop, why } of CASES) {
    test(title, async () => {
      await scene.sql(make);
      try {
        for (const [format, restoreTest] of places()) {
          const filestore = format === 'dual' ? '' : 'false';
          const made = await scene.backup({ format, filestore });
          await assert.rejects(scene.prove(made.receipt.key, restoreTest), (error) => {
            const where = `${format} ${restoreTest.kind}: ${error}`;
            assert.ok(error instanceof UserError, where);
            if (why) {
              assert.ok(error instanceof UnrestorableError, where);
              assert.match(error.message, /^This database cannot be restored as it is, because/, where);
              assert.match(error.message, why, where);
            } else {
              assert.ok(!(error instanceof ContentError), where);
              assert.match(error.message, /says nothing about the archive/, where);
            }
            return true;
          });
          await scene.remove(made);
        }
      } finally {
        await scene.sql(drop);
      }
    });
  }
});
