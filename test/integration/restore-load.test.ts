import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { Command } from '../../src/host/host.ts';
import { analyze } from '../../src/postgres/analyze.ts';
import { openDump } from '../../src/postgres/custom-format/open.ts';
import { loadDump } from '../../src/postgres/load.ts';
import { LoadError } from '../../src/postgres/load-errors.ts';
import type { Dump } from '../../src/postgres/loadable-dump.ts';
import { assertLoaded, dumpOf, openLoad } from '../support/load-scene.ts';
import { run } from '../support/processes.ts';

suite('a dump', () => {
  for (const [jobs, size, way] of [
    [2, 0, 'arriving'],
    [2, 2 ** 50, 'arriving'],
    [3, 0, 'file'],
    [3, 2 ** 50, 'arriving'],
  ] as const) {
    test(`of custom format, ${jobs} jobs${size ? ', where the host has no space for it' : ''}: ${way}`, async () => {
      await using scene = await openLoad();
      const { found, database, dumps, options } = scene;
      const dump = { ...dumpOf('custom', dumps.custom), ...(size ? { size } : {}) };
      const loaded = await loadDump(found.postgres, database, dump, { ...options, jobs });
      assert.equal(loaded.way, way);
      await analyze(found.postgres, database, 2);
      const query = "SELECT count(*) FROM pg_stats WHERE schemaname = 'public'";
      assert.ok(Number((await scene.sql(query, database)).split('\n')[0]) > 100);
      await assertLoaded(scene);
    });
  }

  test('is read to its end, also where its last rows are left out', async () => {
    await using scene = await openLoad(({ sql }) =>
      sql(`CREATE TABLE zz AS SELECT md5(i::text) AS x FROM generate_series(1, 100000) i;
        ALTER TABLE zz OWNER TO odoo`),
    );
    const { found, database, dumps, options } = scene;
    let isRead = false;
    const dump = dumpOf('custom', dumps.custom);
    assert.ok(dump.kind === 'custom');
    const open = async function* () {
      yield* dump.open();
      isRead = true;
    };
    const opened = await openDump('it', dump.open()[Symbol.asyncIterator]());
    assert.ok(opened.kind === 'known');
    const lines = [...opened.contents.lines()].map(({ line }) => line);
    const without = lines.filter((line) => / TABLE DATA public zz /.test(line));
    const loaded = await loadDump(found.postgres, database, { ...dump, open }, { ...options, without });
    assert.deepEqual(loaded.skipped, without);
    assert.ok(isRead);
  });

  test('of custom format, where the host has no space at all: without the rows that are to be left out', async () => {
    await using scene = await openLoad();
    const { found, database, dumps, options } = scene;
    const postgres = found.postgres;
    const start = postgres.host.start.bind(postgres.host);
    // No place for any folder, as the script says it.
    const withoutSpace = (command: Command) =>
      start(
        command.argv.some((each) => each.includes('mktemp')) ? { argv: ['sh', '-c', 'exit 75'] } : command,
      );
    postgres.host.start = withoutSpace;
    const dump = dumpOf('custom', dumps.custom);
    assert.ok(dump.kind === 'custom');
    const opened = await openDump('it', dump.open()[Symbol.asyncIterator]());
    assert.ok(opened.kind === 'known');
    const lines = [...opened.contents.lines()].map(({ line }) => line);
    const without = lines.filter((line) => / TABLE DATA public ir_config_parameter /.test(line));
    assert.equal(without.length, 1);
    for (const codecs of [new Set(['zstd']), new Set<string>()]) {
      const tools = { ...options.tools, programs: codecs };
      const loaded = await loadDump(postgres, database, dump, { ...options, tools, without });
      assert.deepEqual(loaded, { way: 'stream', skipped: without, seconds: loaded.seconds });
      assert.equal(await scene.sql('SELECT count(*) FROM ir_config_parameter', database), '0');
      assert.notEqual(await scene.sql('SELECT count(*) FROM res_users', database), '0');
      await scene.sql(
        'DROP SCHEMA public CASCADE; CREATE SCHEMA public; ALTER SCHEMA public OWNER TO odoo',
        database,
      );
    }
    const failing = loadDump(postgres, database, dumpOf('custom', dumps.custom.subarray(0, -100_000)), {
      ...options,
      without,
    });
    await assert.rejects(failing, LoadError);
  });

  test('of plain SQL, and of pg_dump 17 for an older server', async () => {
    await using scene = await openLoad();
    const { found, database, dumps, options } = scene;
    const newer = Buffer.concat([Buffer.from('SET transaction_timeout = 0;\n'), dumps.plain]);
    await loadDump(found.postgres, database, dumpOf('plain', newer), options);
    await assertLoaded(scene);
  });

  test('of directory format', async () => {
    await using scene = await openLoad();
    const { found, database, options, odoo, sandbox } = scene;
    const folder = await mkdtemp(join(tmpdir(), 'directory-'));
    const connection = ['-h', sandbox.postgres.socket, '-p', String(sandbox.postgres.port), '-U', 'odoo'];
    await run([
      join(sandbox.postgres.bin, 'pg_dump'),
      '-Fd',
      ...connection,
      '-f',
      join(folder, 'd'),
      odoo.database,
    ]);
    const names = await readdir(join(folder, 'd'));
    const files = await Promise.all(
      names.map(async (name) => ({ name, content: await readFile(join(folder, 'd', name)) })),
    );
    await rm(folder, { recursive: true });
    const dump: Dump = {
      kind: 'directory',
      size: files.reduce((sum, { content }) => sum + content.length, 0),
      readFiles: async function* () {
        for (const { name, content } of files) yield { name, size: content.length, content };
      },
    };
    await loadDump(found.postgres, database, dump, options);
    const tooLarge = { ...dump, size: 2 ** 50 };
    await assert.rejects(loadDump(found.postgres, database, tooLarge, options), /There is no room/);
    await assertLoaded(scene);
  });
});
