import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CopyScene } from '../support/copy-scene.ts';
import { pythonZip } from '../support/zips.ts';

const END = '\n--\n-- PostgreSQL database dump complete\n--\n\n';
/** More than is read of a dump before it is loaded, in Python. */
const FAR = `'-- nothing to see here\\n' * 20000`;

/** Says what is wrong with an archive that has a harmless dump besides. */
const archives: readonly (readonly [what: string, script: string, words: RegExp])[] = [
  [
    'leads out of the filestore',
    `z.writestr('filestore/../../../evil', 'x')`,
    /"filestore.*evil" in it leaves/,
  ],
  ['has an absolute name', `z.writestr('/etc/cron.d/evil', 'x')`, /"\/etc\/cron.d\/evil" in it leaves/],
  ['has a name of Windows', `z.writestr('C:/evil', 'x')`, /"C:\/evil" in it leaves/],
  [
    'holds a link',
    `link = zipfile.ZipInfo('filestore/ab'); link.create_system = 3; link.external_attr = 0o120777 << 16
z.writestr(link, '/etc')`,
    /"filestore\/ab" in it is a symbolic link/,
  ],
  [
    'has a name twice',
    `for i in '12': z.writestr('filestore/ab/ab12', i)`,
    /"filestore\/ab\/ab12" in it is there twice/,
  ],
  [
    'is a bomb',
    `z.writestr('filestore/ab/ab12', b'x'); z.getinfo('filestore/ab/ab12').file_size = 10 ** 13`,
    /"filestore\/ab\/ab12" in it cannot be 10000000000000 bytes/,
  ],
  [
    'is encrypted',
    `z.writestr('filestore/ab/ab12', b'x'); z.getinfo('filestore/ab/ab12').flag_bits |= 1`,
    /"filestore\/ab\/ab12" in it is encrypted/,
  ],
  [
    'has a file that is longer than it says',
    `z.writestr('filestore/ab/ab12', 'x' * 1000); z.getinfo('filestore/ab/ab12').file_size = 10`,
    /"filestore\/ab\/ab12" is not what the archive's directory says: it has more than 10 bytes/,
  ],
  [
    'has a file that is not what its name says',
    `z.writestr('filestore/da/da39a3ee5e6b4b0d3255bfef95601890afd80709', 'x')`,
    /da39a3\w+ of the archived filestore is not what its name says/,
  ],
];

suite('what is hostile', () => {
  let scene: CopyScene;
  before(async () => {
    scene = await CopyScene.open();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  /** Where nothing may appear. */
  const witness = join(tmpdir(), `restore-hostile-${process.pid}`);
  const tables = ['ir_module_module', 'ir_attachment', 'ir_model', 'res_users', 'res_partner', 'res_company'];
  const harmless = `${tables
    .map((table) => `CREATE TABLE ${table} (id int PRIMARY KEY);\nCOPY ${table} (id) FROM stdin;\n1\n\\.\n`)
    .join('')}${END}`;

  /** In a plain dump. */
  const statements: readonly (readonly [sql: string, words: RegExp])[] = [
    [`\\! touch ${witness}\n`, /holds a psql command, at byte \d+: "\\\\! touch/],
    [`SELECT 1 \\g |touch ${witness}\n;`, /holds a psql command/],
    [`\\copy t FROM PROGRAM 'touch ${witness}'\n`, /holds a psql command/],
    [`\\o |touch ${witness}\n`, /holds a psql command/],
    ['\\connect postgres\n', /holds a psql command/],
    [`\\restrict x\n\\unrestrict x; \\! touch ${witness}\n`, /holds a psql command/],
    [`COPY t FROM PROGRAM 'touch ${witness}';\n`, /holds a COPY other than COPY … FROM stdin/],
    [`COPY t TO '${witness}';\n`, /holds a COPY other than/],
    [
      `DO $$ BEGIN EXECUTE 'COPY t FROM PROGRAM ''touch ${witness}'''; END $$;\n`,
      /(must be superuser|permission denied).* COPY to or from an external program/,
    ],
  ];

  test('is refused before anything is touched, or taken back, and nothing of it has run', async () => {
    const allowed = { 'allow-unverified': 'true' };
    const refusals = [
      ...archives.map(async ([what, script, words]) => {
        const zip = await pythonZip(`z.writestr('dump.sql', ${JSON.stringify(harmless)})\n${script}`);
        return { backup: await scene.put(`${what.replaceAll(' ', '-')}.zip`, zip), words };
      }),
      ...statements.flatMap(([sql, words], i) => {
        const near = `CREATE TABLE t (a int);\n${sql}${END}`;
        const inZip = async () => {
          const name = ['dump.sql', 'prod_2026-01-01_00-00-00.sql'][i % 2];
          const rest = JSON.stringify(`CREATE TABLE t (a int);\n${sql}${END}`);
          const zip = await pythonZip(`z.writestr('${name}', ${FAR} + ${rest})`);
          return { backup: await scene.put(`far-${i}.zip`, zip), words };
        };
        const bare = async () => {
          const key = i % 2 === 0 ? `near-${i}.sql` : `near-${i}.sql.gz`;
          return { backup: await scene.put(key, i % 2 === 0 ? near : gzipSync(near)), words };
        };
        return [inZip(), bare()];
      }),
      (async () => {
        const dump = await readFile(await scene.dump('cut.dump', '--format=custom'));
        const key = await scene.put('cut.dump', dump.subarray(0, dump.length * 0.6));
        return {
          backup: key,
          words:
            /The dump cannot be loaded into .*(end of file|could not (read|find block))|is not a whole dump/,
        };
      })(),
      (async () => {
        const sql = (await readFile(await scene.dump('cut.sql'))).subarray(0, -2000);
        return { backup: await scene.put('cut.sql', sql), words: /cut.sql is not complete/ };
      })(),
    ];
    const made = await Promise.all(refusals);
    await scene.refuses(
      made.map(({ backup, words }) => ({ inputs: { backup, ...allowed }, words: [words] })),
    );
    assert.ok(!existsSync(witness), 'a command of the dump has run');
  });

  test('is not even looked at without allow-unverified', async () => {
    const key = await scene.put('nobody-knows.sql', harmless);
    await scene.refuses([
      {
        inputs: { backup: key },
        words: [/nobody-knows.sql has no receipt: nobody has verified/, /allow-unverified: true/],
      },
    ]);
  });
});
