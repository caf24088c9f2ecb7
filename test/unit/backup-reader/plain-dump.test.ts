import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { type PlainDumpOptions, plainDumpFilter } from '../../../src/backup-reader/plain-dump.ts';
import { UserError } from '../../../src/util/errors.ts';
import { archive } from '../../support/odoo.ts';

const END = '\n--\n-- PostgreSQL database dump complete\n--\n\n';

const LONG = 'x'.repeat(60_000);

/** The dump through the filter, in chunks of that many bytes. */
async function filtered(dump: Buffer, chunk: number, passage: PlainDumpOptions = {}): Promise<Buffer> {
  const filter = plainDumpFilter('dump.sql', passage);
  // The filter holds a statement until it ends: what is long in it comes at once, or its bytes are copied 60,000 times.
  const long = dump.indexOf(LONG);
  const chunks = function* () {
    for (let at = 0, end: number; at < dump.length; at = end) {
      end = at === long ? at + LONG.length : at + chunk;
      if (at < long && end > long) end = long;
      yield dump.subarray(at, end);
    }
  };
  const [output] = await Promise.all([buffer(filter), pipeline(Readable.from(chunks()), filter)]);
  return output;
}

const bytes = (sql: string): Buffer => Buffer.from(sql, 'utf8');

/** At every chunk size that could cut a token. */
const CHUNKS = [1, 2, 3, 5, 7, 64, 65_536];

const harmless: [what: string, sql: string][] = [
  ['no statement', ''],
  ['data with backslashes', 'COPY public.t (id, name) FROM stdin;\n1\t\\N\n2\t\\\\!\\t\n\\.\n'],
  ['no data', 'COPY t FROM stdin;\n\\.\n'],
  ['a table without columns', 'COPY public.t  FROM stdin;\n\\.\n'],
  ['line breaks of Windows', 'COPY t (a) FROM stdin;\r\n1\r\n\\.\r\nSELECT 1;\r\n'],
  ['quotes in data', 'COPY t (a) FROM stdin;\nit\'s $$ "x /* --\n\\.\nSELECT 1;\n'],
  ['data that looks like its end', 'COPY t (a) FROM stdin;\n\\..\n\\.x\n \\.\n\\\\.\n\\.\nSELECT 1;\n'],
  ['odd names', 'COPY "a;b" ("x ""\\! y", "z\nz", é) FROM stdin;\n1\t2\t3\n\\.\n'],
  ['a text', "SELECT 'a\\!b', 'it''s', '\n\\! line\n';\n"],
  ['a name', 'SELECT "a\\!b""\n\\!";\n'],
  ['a function', 'CREATE FUNCTION f() AS $_$\nBEGIN\n\\! not a command $$ $1 \n$_$ LANGUAGE sql;\n'],
  ['dollars within names and numbers', 'SELECT a$b, $1, c$$d, $2::int FROM t$;\n'],
  ['comments', "-- a\\! -- ' $$ \"\n/* \\! /* nested */ \\! ' */ SELECT 1; --\\!\n"],
  ['operators', "SELECT a-1, b/2, c*-1, d->>'x', e::text, f[1:2], 3-/* */-4;\n"],
  ['parentheses', 'CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);\nSELECT 1;\n'],
  ['begin elsewhere', 'BEGIN;\nCREATE TABLE begin (function int);\nCOMMIT;\n'],
];

test('SQL and data pass unchanged', async () => {
  for (const [what, sql] of harmless) {
    const dump = bytes(sql + END);
    for (const chunk of CHUNKS) {
      assert.deepEqual(await filtered(dump, chunk), dump, `${what}, in chunks of ${chunk}`);
      const kept = await filtered(dump, chunk, { leavesOut: () => false });
      assert.deepEqual(kept, dump, `${what}, every statement judged, in chunks of ${chunk}`);
    }
  }
});

test('statements are left out whole, and judged by all of their text', async () => {
  const long = `GRANT '${LONG}${'y'.repeat(6_000)}';`;
  const dump = bytes(
    `SET a = 1;\ngrant x TO "a;b";REVOKE é\n FROM public;\nSELECT 'GRANT y;';\nCOPY grant (a) FROM stdin;\nGRANT z;\n\\.\n
CREATE FUNCTION f() AS $$GRANT x;$$;\nGRANT (';');\n-- GRANT;\n${long}\nSELECT 2;${END}`,
  );
  for (const chunk of CHUNKS) {
    const judged: string[] = [];
    const output = await filtered(dump, chunk, {
      leavesOut: (statement) => {
        judged.push(statement);
        return /^(GRANT|REVOKE)/i.test(statement);
      },
    });
    assert.deepEqual(judged, [
      'SET a = 1;',
      'grant x TO "a;b";',
      'REVOKE é\n FROM public;',
      "SELECT 'GRANT y;';",
      'CREATE FUNCTION f() AS $$GRANT x;$$;',
      "GRANT (';');",
      'SELECT 2;',
    ]);
    assert.equal(
      output.toString(),
      `SET a = 1;\n\nSELECT 'GRANT y;';\nCOPY grant (a) FROM stdin;\nGRANT z;\n\\.\n
CREATE FUNCTION f() AS $$GRANT x;$$;\n\n-- GRANT;\n${long}\nSELECT 2;${END}`,
    );
  }
});

const harmful: [what: string, sql: string, why: RegExp][] = [
  ['a shell command', '\\! id\n', /a psql command, at byte 0: "\\\\! id"/],
  ['another database', 'SELECT 1;\n\\connect postgres\n', /a psql command, at byte 10/],
  ['in the middle of a line', 'SELECT 1; \\! id\n', /a psql command/],
  ['within a statement', 'SELECT 1 \\g |id\n', /a psql command/],
  ['\\copy', "\\copy t FROM PROGRAM 'id'\n", /a psql command/],
  ['a command behind restrict', '\\restrict a \\! id\n', /a psql command/],
  ['restrict within a statement', 'SELECT 1\n\\restrict a\n', /a psql command/],
  ['after data', 'COPY t FROM stdin;\n\\.\n\\! id\n', /a psql command/],
  ['after a carriage return in a comment', '-- x\r\\! id\n', /a psql command/],
  ['after a comment within a comment', '/* /* */ */ \\! id\n', /a psql command/],
  ['after a name like quotes', 'SELECT a$$; \\! id\n', /a psql command/],
  ['after quotes of another tag', 'SELECT $a$ $b$ $a$; \\! id\n', /a psql command/],
  ['COPY FROM PROGRAM', "COPY t FROM PROGRAM 'id';\n", /a COPY other than/],
  ['COPY TO PROGRAM', "copy t to program 'id';\n", /a COPY other than/],
  ['COPY from a file', "COPY t FROM '/etc/passwd';\n", /a COPY other than/],
  ['COPY in another format', "copy t from stdin csv;\n'\n\\.\n\\! id\n'\n", /a COPY other than/],
  ['COPY behind a comment', "/* */ COPY t FROM stdin CSV;\n'\n\\.\n\\! id\n'\n", /a COPY other than/],
  ['COPY over lines', "COPY t\nFROM stdin;\n'\n\\.\n'\n", /a COPY other than/],
  ['COPY with something behind it', 'COPY t FROM stdin; SELECT 1;\n', /a COPY other than/],
  ['COPY in parentheses', '(COPY t FROM stdin;\n\\! id\n\\.\n', /a COPY other than/],
  ['a statement that psql does not end', '(SELECT 1;\nCOPY t FROM stdin;\n\\! id\n\\.\n', /a psql command/],
  [
    'a body in SQL',
    'CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;\n',
    /standard SQL/,
  ],
  ['a text that may go on', "SELECT 'a\\';\n", /backslash right before a quote/],
  ['a text with escapes that may go on', "SELECT E'a\\\\' ;\n", /backslash right before a quote/],
  ['a variable', "SELECT :'HOME';\n", /a variable of psql/],
  ['a variable in quotes', 'SELECT :"x", :y;\n', /a variable of psql/],
  ['a number that may begin quotes', 'SELECT 1a$$ \\! $$;\n', /number right before a dollar/],
  ['quotes of other letters', 'SELECT $é$ \\! id $é$;\n', /dollar quotes of other letters/],
  ['a NUL', "SELECT 'a\0';\n", /NUL/],
  ['a byte order mark before COPY', '\ufeffCOPY t FROM PROGRAM;\n', /a COPY other than/],
  ['a byte order mark twice', '\ufeff\ufeffSELECT 1;\n', /a byte order mark/],
];

test('whatever makes psql do more than SQL is refused, and nothing from there on passes', async () => {
  for (const [what, sql, why] of harmful) {
    for (const chunk of CHUNKS) {
      const filter = plainDumpFilter('dump.sql');
      let passed = '';
      filter.on('data', (data) => {
        passed += data;
      });
      const dump = bytes(sql + END);
      const chunks = Array.from({ length: Math.ceil(dump.length / chunk) }, (_, i) =>
        dump.subarray(i * chunk, (i + 1) * chunk),
      );
      await assert.rejects(
        pipeline(Readable.from(chunks), filter),
        (error) => error instanceof UserError && why.test(error.message),
        `${what}, in chunks of ${chunk}`,
      );
      assert.doesNotMatch(passed, /^\\!/m, what);
    }
  }
});

test('pg_dump’s own restriction is taken out, and so is a byte order mark', async () => {
  const dump = `\ufeff\\restrict aZ09\nSELECT 1;\n${END.trimEnd()}\n\\unrestrict aZ09`;
  for (const chunk of CHUNKS) {
    assert.equal(
      (await filtered(bytes(dump), chunk)).toString(),
      `\nSELECT 1;\n${END.trimEnd()}\n`,
      `in chunks of ${chunk}`,
    );
  }
});

/** In which a byte above 127 hides what the scanner takes for an end, in one of psql's encodings at least. */
const ambiguous: [what: string, sql: string][] = [
  ['a quote, in SJIS, GBK and others', "SELECT '\x81' , '\n';"],
  ['a quote, in GB18030 alone', "SELECT '\x810' , '\n';"],
  ['a quote behind one more byte, in GB18030 alone', "SELECT '\x810x' , '\n';"],
  ['a quote behind a byte, in JOHAB alone', "SELECT '\x8fx' , '\n';"],
  ['a quote behind a character of two bytes, in SJIS alone', "SELECT '\xc3\xa0' , '\n';"],
  ['a double quote', 'SELECT "\x81" , "\n";'],
  ['a dollar', 'SELECT $$\x81$$ , $$\n$$;'],
  ['a carriage return in a comment', '--\x81\r$$\n$$;'],
  ['the end of a comment', '/*\x81*/ $$ */ $$;'],
  ['the beginning of a comment in a comment', '/*\x81/* */ */ ;'],
  ['a space before quotes', 'SELECT \x81 $$\n$$;'],
  ['a parenthesis', 'SELECT \x81(;);'],
];

/** Alike in all of them. */
const unambiguous: [what: string, sql: string][] = [
  ['a letter', "COMMENT ON COLUMN t.a IS 'Num\xc3\xa9ro \xc3\xa0 part';"],
  ['an even number of bytes', "COMMENT ON COLUMN t.a IS 'Validit\xc3\xa9';"],
  ['an end of line', "SELECT '\x81\n';"],
  ['data', "COPY t (a) FROM stdin;\n\x81'\t\x81\\\\\t\x81\n\\.\nSELECT '';"],
  ['a line of data, and the line behind it', "COPY t (a) FROM stdin;\n\x81\n\\.\n'';"],
  ['signs within quotes of another kind', `SELECT '\x81"', "\x81'", $$\x81'$$;`],
];

test('what a client_encoding can hide is refused, unless psql is restricted', async () => {
  for (const [what, sql] of ambiguous) {
    const dump = Buffer.from(sql + END, 'latin1');
    for (const chunk of CHUNKS) {
      const why = /depends on the client_encoding, at byte \d+/;
      await assert.rejects(filtered(dump, chunk), why, `${what}, in chunks of ${chunk}`);
      assert.deepEqual(await filtered(dump, chunk, { restricted: true }), dump, what);
    }
  }
  for (const [what, sql] of unambiguous) {
    const dump = Buffer.from(sql + END, 'latin1');
    for (const chunk of CHUNKS) assert.deepEqual(await filtered(dump, chunk), dump, what);
  }
});

test('what pg_dump --clean drops is left out: a new database has nothing of it', async () => {
  const dump = `SET a = 1;
ALTER TABLE ONLY public.t DROP CONSTRAINT t_pkey;
ALTER TABLE IF EXISTS public.t ALTER COLUMN id DROP DEFAULT;
DROP TABLE public.t;
DROP SCHEMA public;
CREATE SCHEMA public;
CREATE TABLE public.t (id int);
DROP TABLE public.t;${END}`;
  for (const chunk of CHUNKS) {
    assert.equal(
      (await filtered(bytes(dump), chunk)).toString(),
      `SET a = 1;\n\n\n\n\n\nCREATE TABLE public.t (id int);\nDROP TABLE public.t;${END}`,
    );
  }
});

test('a dump that is not of a database’s content is told', async () => {
  const table = 'CREATE TABLE public.ir_module_module (id int);\n';
  await assert.rejects(
    filtered(bytes(`CREATE DATABASE x;\n\\connect x\n${END}`), 64),
    /makes a database of its own/,
  );
  for (const without of [table, table.replace('public.ir_module_module', '"public"."ir_module_module"')])
    await assert.rejects(filtered(bytes(without + END), 64), /not one row/);
  for (const rows of [
    'COPY public.ir_module_module (id) FROM stdin;\n1\n\\.\n',
    'INSERT INTO public.ir_module_module VALUES (1);\n',
  ]) {
    assert.equal((await filtered(bytes(table + rows + END), 64)).toString(), table + rows + END);
  }
});

test('a dump that makes no table is told before its rows, and before what is said of tables', async () => {
  const before =
    'SET a = 1;\nCREATE SCHEMA app;\nCREATE EXTENSION x;\nALTER TABLE public.view OWNER TO odoo;\n';
  const parts = [
    'COPY public.t (id) FROM stdin;\n1\n\\.\n',
    'INSERT INTO public.t VALUES (1);\n',
    'CREATE UNIQUE INDEX i ON public.t USING btree (id);\n',
    'ALTER TABLE ONLY public.t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (id);\n',
  ];
  for (const part of parts) {
    await assert.rejects(
      filtered(bytes(before + part), 7, { isWhole: true }),
      /makes no table, as .*--data-only/,
    );
    for (const table of ['TABLE', 'UNLOGGED TABLE', 'FOREIGN TABLE']) {
      const whole = `${before}CREATE ${table} public.other (id int);\n${part}${END}`;
      assert.equal((await filtered(bytes(whole), 7, { isWhole: true })).toString(), whole);
    }
    const dump = before + part + END;
    assert.equal((await filtered(bytes(dump), 7)).toString(), dump);
  }
});

test('tables without rows are told, where the dump says it', async () => {
  const table = (name: string, more = '') => `CREATE TABLE ${name} (\n    id int\n)${more};\n`;
  const copy = (name: string) => `COPY ${name} (id) FROM stdin;\n\\.\n`;
  const made = [
    table('public.empty'),
    table('public."No rows"'),
    'CREATE UNLOGGED TABLE public.unlogged (\n);\n',
    table('app.other', '\nINHERITS (public.empty)'),
    table('public.parent', '\nPARTITION BY RANGE (id)'),
    'CREATE FOREIGN TABLE public.far (\n    id int\n)\nSERVER s;\n',
  ].join('');
  const told = async (sql: string, chunk: number) => {
    const tables: string[] = [];
    const withoutRows = (names: readonly string[]) => void tables.push(...names);
    await filtered(bytes(sql + END), chunk, { withoutRows });
    return tables;
  };
  for (const chunk of CHUNKS) {
    const copied = copy('public.empty');
    assert.deepEqual(await told(made + copied, chunk), ['No rows', 'unlogged', 'app.other']);
    const quoted = made.replaceAll(/(public|app)\.(\w+)/g, '"$1"."$2"').replaceAll('public."', '"public"."');
    assert.deepEqual(await told(quoted + copy('"public"."empty"'), chunk), [
      'No rows',
      'unlogged',
      'app.other',
    ]);
    assert.deepEqual(await told(`${made}${copied}INSERT INTO public.unlogged VALUES (1);\n`, chunk), []);
  }
});

test('a word without an end is refused before it fills the memory', async () => {
  await assert.rejects(filtered(Buffer.alloc(600_000, 'a'), 65_536), /no end within/);
});

test('a dump that was cut short is told at its end', async () => {
  const complete = `SELECT 1;\nCOPY t (a) FROM stdin;\n1\n\\.\n${END}`;
  const cases: [what: string, sql: string][] = [
    ['nothing', ''],
    ['without the last words', complete.slice(0, -END.length)],
    ['within the last words', complete.slice(0, -10)],
    ['in data that holds the last words', `COPY t (a) FROM stdin;${END}`],
    ['in a text that holds the last words', `SELECT '${END}`],
    ['the last words long ago', END + 'SELECT 1;\n'.repeat(1000)],
  ];
  for (const [what, sql] of cases) {
    for (const chunk of CHUNKS) {
      await assert.rejects(
        filtered(bytes(sql), chunk),
        /is not complete|it is empty/,
        `${what}, in chunks of ${chunk}`,
      );
    }
  }
});

test('a dump by Odoo passes', async () => {
  const dump = execFileSync('unzip', ['-p', archive, 'dump.sql'], { maxBuffer: 2 ** 28 });
  // pg_dump's own key would end a restriction of ours.
  const passing = Buffer.from(dump.toString('latin1').replaceAll(/^\\(?:un)?restrict \w+$/gm, ''), 'latin1');
  for (const chunk of [4_093, 65_536, dump.length]) {
    assert.ok((await filtered(dump, chunk)).equals(passing), `chunks of ${chunk}`);
  }
});
