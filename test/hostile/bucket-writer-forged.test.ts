import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { receiptKey } from '../../src/catalog/keys.ts';
import { CopyScene } from '../support/copy-scene.ts';
import type { RawInputs } from '../support/inputs.ts';
import { run } from '../support/processes.ts';
import { getObject } from '../support/s3.ts';
import { unsigned } from '../support/unsigned.ts';

/** In this, one text of a description stands in for another one. */
interface Forgery {
  /** As the error names it. */
  readonly field: string;
  readonly forge: (description: Description) => void;
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of which every value may be wrong
type Description = any;

/**
 * Somebody who writes to the bucket forges a receipt, or backup.json in an archive. Each forgery ran a command before
 * texts were decoded by shape; the whole program is run on it, and nothing of it may run on the host or here.
 */
suite('a forged receipt or backup.json', { concurrency: false }, () => {
  let scene: CopyScene;
  /** A bare dump, whose receipt says what backup.json says in an archive. */
  let bare = '';
  let receipt: { description: Description } & Record<string, unknown>;
  const witness = join(tmpdir(), `bucket-writer-forged-${process.pid}`);
  const command = `\\! touch ${witness}`;

  /**
   * psql reads pieces of up to 1,023 bytes that end at a line break, and drops what follows a NUL in one: of the
   * escaped sign, whose halves lie in two pieces, the second one stays.
   */
  const halved = (sign: string) => `\0${'a'.repeat(1021)}${sign}`;
  const inLiteral = `C\0\n${halved("'")}\n${halved('\\')}${command.slice(1)}\n`;
  const inIdentifier = `x\0\n${halved('"')}\n${command}\n`;

  const forgeries: readonly Forgery[] = [
    { field: 'postgres.collate', forge: ({ postgres }) => Object.assign(postgres, { collate: inLiteral }) },
    { field: 'postgres.ctype', forge: ({ postgres }) => Object.assign(postgres, { ctype: inLiteral }) },
    {
      field: 'postgres.localeProvider',
      forge: ({ postgres }) => Object.assign(postgres, { localeProvider: `libc\n${command}` }),
    },
    { field: 'postgres.owner', forge: ({ postgres }) => Object.assign(postgres, { owner: inIdentifier }) },
    { field: 'roles[0]', forge: (description) => Object.assign(description, { roles: [inLiteral] }) },
    {
      field: 'postgres.settings[0].setting',
      forge: ({ postgres }) =>
        Object.assign(postgres, { settings: [{ role: null, setting: `work_mem=${inLiteral}` }] }),
    },
    {
      field: 'postgres.settings[0].role',
      forge: ({ postgres }) =>
        Object.assign(postgres, { settings: [{ role: inIdentifier, setting: 'work_mem=1MB' }] }),
    },
    {
      field: 'extensions[0].name',
      forge: (description) =>
        Object.assign(description, { extensions: [{ name: inIdentifier, version: '1', schema: 'public' }] }),
    },
    {
      field: 'extensions[0].schema',
      forge: (description) =>
        Object.assign(description, { extensions: [{ name: 'pg_trgm', version: '1', schema: inIdentifier }] }),
    },
    {
      field: 'extensionState.sequences[0].name',
      forge: (description) =>
        Object.assign(description, {
          extensionState: {
            schemas: [],
            sequences: [{ schema: 'public', name: inIdentifier, last: '1', called: true }],
            privileges: [],
          },
        }),
    },
  ];

  before(async () => {
    scene = await CopyScene.open();
    const { outputs } = await scene.odoo.succeeds('backup', { format: 'custom', filestore: 'false' });
    bare = outputs.key ?? '';
    const { client, bucket } = scene.odoo.scene;
    receipt = JSON.parse(Buffer.from(await getObject(client, bucket, receiptKey(bare))).toString());
  });
  after(() => scene?.[Symbol.asyncDispose]());

  async function putReceipt(value: unknown): Promise<void> {
    const { client, bucket } = scene.odoo.scene;
    await client.send(
      new PutObjectCommand({ Bucket: bucket, Key: receiptKey(bare), Body: JSON.stringify(unsigned(value)) }),
    );
  }

  async function refuses(
    name: string,
    inputs: RawInputs,
    field: string | undefined,
    object: string,
  ): Promise<void> {
    const before = await scene.odoo.traces();
    const { exitCode, log, stdout } = await scene.odoo.run(name, inputs);
    assert.ok(!existsSync(witness), `the command of ${field} has run:\n${log}`);
    assert.notEqual(exitCode, 0, log);
    assert.ok(log.includes(object), `${object} is not named:\n${log}`);
    if (field !== undefined) assert.ok(log.includes(field), `${field} is not named:\n${log}`);
    assert.doesNotMatch(`${log}${stdout}`, /\0|\n\s+at .*\.(?:ts|mjs):/);
    assert.deepEqual(await scene.odoo.traces(), before);
  }

  const dryRun = { filestore: 'false', 'dry-run': 'true' };

  for (const { field, forge } of forgeries) {
    test(`runs nothing by ${field} of a receipt`, async () => {
      const forged = structuredClone(receipt);
      forge(forged.description);
      await putReceipt(forged);
      await refuses('rollback', { ...dryRun, backup: bare }, `description.${field}`, receiptKey(bare));
    });
  }

  for (const [what, name, inputs] of [
    ['rollback', 'rollback', { filestore: 'false' }],
    [
      'restore',
      'restore',
      {
        filestore: 'false',
        'target-database': 'forged',
        neutralize: 'false',
        'stop-command': '',
        'start-command': '',
      },
    ],
    ['verify: contents', 'verify', { verify: 'contents' }],
    ['verify: restore on the runner', 'verify', { verify: 'restore' }],
    ['verify: restore on the host', 'verify', { verify: 'restore', 'restore-test': 'host' }],
  ] as const) {
    for (const { field, forge } of [forgeries[0], forgeries[2]].filter((each) => each !== undefined)) {
      test(`runs nothing in ${what}, by ${field} of a receipt`, async () => {
        const forged = structuredClone(receipt);
        forge(forged.description);
        await putReceipt(forged);
        await refuses(name, { ...inputs, backup: bare }, `description.${field}`, receiptKey(bare));
      });
    }
  }

  test('runs nothing by backup.json of an archive', async () => {
    const { client, bucket, folder } = scene.odoo.scene;
    const { outputs } = await scene.odoo.succeeds('backup');
    const zip = await getObject(client, bucket, outputs.key ?? '');
    const from = join(folder, 'genuine.zip');
    await writeFile(from, zip);
    for (const { field, forge } of forgeries) {
      const description = structuredClone(receipt.description);
      forge(description);
      const to = join(folder, 'forged.zip');
      // The archive as it was, but for one member.
      await run([
        'python3',
        '-c',
        `import sys, zipfile
a, b = zipfile.ZipFile(sys.argv[1]), zipfile.ZipFile(sys.argv[2], 'w')
for i in a.infolist():
  b.writestr(i, sys.argv[3] if i.filename == 'backup.json' else a.read(i))
b.close()`,
        from,
        to,
        JSON.stringify(description),
      ]);
      const forged = await scene.put('forged.zip', await readFile(to));
      await refuses(
        'rollback',
        { backup: forged, 'dry-run': 'true', 'allow-unverified': 'true' },
        `backup.json.${field}`,
        'forged.zip',
      );
    }
  });
});
