import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openSelected } from '../../src/backup-reader/open.ts';
import { sealedBackup } from '../../src/backup-reader/seal.ts';
import type { Receipt } from '../../src/catalog/receipt.ts';
import { openObject } from '../../src/fetch/plain-zip.ts';
import { CHUNK_LENGTH, Chunks, SEALED_CHUNK_LENGTH } from '../../src/sealing/chunks.ts';
import { readHeader } from '../../src/sealing/header.ts';
import { readIdentities } from '../../src/sealing/identities.ts';
import { readRecipients } from '../../src/sealing/recipients.ts';
import { sealWhole } from '../../src/sealing/stream.ts';
import { ContentError } from '../../src/util/errors.ts';
import { AgeKeys } from '../support/age-keys.ts';
import { member } from '../support/backup-check.ts';
import type { Made } from '../support/backup-run.ts';
import { VerifyScene } from '../support/verify-scene.ts';
import { entriesOf } from '../support/zips.ts';

const SQL = 'dump.sql.gz.age';

/**
 * Who writes to the bucket knows the recipients, which are no secret, and can seal for them. What was sealed by somebody
 * else it can only cut, move and exchange: age finds that within a member, the sums of the receipt between members.
 */
suite('sealed members, against who writes to the bucket', { concurrency: false }, () => {
  const keys = new AgeKeys();
  const [team, stranger] = [keys.newKey(), keys.newKey()];
  const identities = readIdentities(team.text);
  let verify: VerifyScene;
  let made: Made;
  let other: Made;
  before(async () => {
    verify = await VerifyScene.open();
    const sealing = { 'encrypt-to': team.recipient, format: 'odoo' };
    made = await verify.scene.backup(sealing);
    other = await verify.scene.backup(sealing);
  });
  after(async () => {
    keys[Symbol.dispose]();
    await verify?.[Symbol.asyncDispose]();
  });

  type Change = Readonly<Record<string, Uint8Array | null>>;

  /** All that a rollback takes of it. */
  async function take(receipt: Receipt): Promise<void> {
    const source = await openSelected(verify.store, { key: receipt.key, receipt }, identities);
    if (source.dump.kind === 'plain') await buffer(source.dump.open());
    await source.assertDump();
    for await (const { content } of source.readFiles(source.filestore?.values() ?? [])) {
      if (!Buffer.isBuffer(content)) await buffer(content);
    }
  }

  /** With a receipt that was made to fit, as far as `sums`, neither a rollback takes it nor passes it a verification. */
  async function isRefused(change: Change, words: RegExp, sums?: Receipt['sums']): Promise<void> {
    const { receipt, object } = await verify.rewritten(made, change);
    const forged = { ...receipt, ...(sums && { sums }) };
    const { failure = 'it passed' } = await verify.proof(forged, object, identities);
    assert.match(failure, words);
    await assert.rejects(take(forged), (error: Error) => {
      assert.ok(error instanceof ContentError, String(error));
      assert.match(error.message, words);
      return true;
    });
  }

  test('as it is, it is taken', async () => {
    await verify.put(made.receipt, made.object);
    await take(made.receipt);
  });

  test('cut: at a chunk, within one, within its header', async () => {
    const sealed = await member(made.path, SQL);
    const start = (readHeader(sealed)?.bytes.length ?? 0) + 16;
    for (const end of [start + SEALED_CHUNK_LENGTH, start + SEALED_CHUNK_LENGTH + 7, start, start - 20]) {
      await isRefused({ [SQL]: sealed.subarray(0, end) }, /dump\.sql\.gz\.age" cannot be opened/);
    }
  });

  test('chunks in another order, twice, and bytes behind the last one', async () => {
    const sealed = await member(made.path, SQL);
    const start = (readHeader(sealed)?.bytes.length ?? 0) + 16;
    const chunk = (index: number) =>
      sealed.subarray(start + index * SEALED_CHUNK_LENGTH, start + (index + 1) * SEALED_CHUNK_LENGTH);
    const head = sealed.subarray(0, start);
    const rest = sealed.subarray(start + 2 * SEALED_CHUNK_LENGTH);
    for (const pieces of [
      [head, chunk(1), chunk(0), rest],
      [head, chunk(0), chunk(0), chunk(1), rest],
      [sealed, Buffer.alloc(1)],
      [sealed, chunk(0)],
    ]) {
      await isRefused({ [SQL]: Buffer.concat(pieces) }, /chunk \d+ is not the one that was written/);
    }
  });

  test('a last chunk that does not say so, and one in the middle that does', async () => {
    const recipients = await readRecipients([team.recipient]);
    const content = randomBytes(CHUNK_LENGTH + 10);
    for (const last of [
      [false, false],
      [true, true],
    ] as const) {
      const { header, fileKey } = await recipients.newKey();
      const nonce = randomBytes(16);
      const chunks = new Chunks(fileKey, nonce);
      const sealed = last.map((isLast, index) =>
        chunks.seal(index, isLast, [content.subarray(index * CHUNK_LENGTH, (index + 1) * CHUNK_LENGTH)]),
      );
      const forged = Buffer.concat([header, nonce, ...sealed]);
      await isRefused({ [SQL]: forged }, /chunk \d is not the one that was written/);
    }
  });

  test('members of another backup for the same recipients: the sums of the receipt', async () => {
    const theirs = await member(other.path, SQL);
    await isRefused(
      { [SQL]: theirs },
      /"dump\.sql\.gz\.age" is not what was written: its SHA-256 is not the one/,
      made.receipt.sums,
    );
    const description = await member(other.path, 'backup.json.gz.age');
    await isRefused(
      { 'backup.json.gz.age': description },
      /"backup\.json\.gz\.age" is not what was written/,
      made.receipt.sums,
    );
    // The receipt as it is: nothing of the archive is looked at.
    const { object } = await verify.rewritten(made, { [SQL]: theirs }, { keepReceipt: true });
    await verify.put(made.receipt, object);
    await assert.rejects(take(made.receipt), /is not the archive that the receipt describes/);
  });

  test('files of the filestore in each other’s place: their names', async () => {
    const names = [...(await entriesOf(Buffer.from(made.object))).keys()].filter((name) =>
      name.startsWith('filestore/'),
    );
    const [one = '', two = ''] = names;
    const change = { [one]: await member(made.path, two), [two]: await member(made.path, one) };
    await isRefused(change, /of the archived filestore is not what its name says/);
  });

  test('files of the filestore that are left out, or added: the directory of the receipt, also for fetch', async () => {
    const [name = ''] = [...(await entriesOf(Buffer.from(made.object))).keys()].filter((each) =>
      each.startsWith('filestore/'),
    );
    const planted = await sealWhole(Buffer.from('#!/bin/sh'), await readRecipients([team.recipient]));
    for (const rewritten of [
      await verify.rewritten(made, { [name]: null }),
      await verify.rewritten(made, {}, { added: { 'filestore/zz/planted.age': planted } }),
    ]) {
      const { directory, sums } = made.receipt;
      const receipt = { ...rewritten.receipt, directory, sums };
      await verify.put(receipt, rewritten.object);
      await assert.rejects(take(receipt), /it has another central directory/);
      const reader = await verify.store.range(receipt.key);
      const sealed = sealedBackup(verify.store.uri(receipt.key), receipt);
      const opening = { reader, sealed, receipt, identities, name: 'a.zip', seen: () => {} };
      await assert.rejects(openObject(opening), /it has another central directory/);
    }
  });

  test('sealed by itself: for these recipients, and for others', async () => {
    const sql = Buffer.from('-- a dump\nSELECT 1;\n--\n-- PostgreSQL database dump complete\n--\n');
    const forThese = await sealWhole(sql, await readRecipients([team.recipient]));
    await isRefused({ [SQL]: forThese }, /cannot be opened: what comes out|is not what was written/);
    const packed = await sealWhole(gzipSync(sql), await readRecipients([team.recipient]));
    await isRefused(
      { [SQL]: packed },
      /is not what was written: its SHA-256 is not the one/,
      made.receipt.sums,
    );
    const forOthers = await sealWhole(sql, await readRecipients([stranger.recipient]));
    await isRefused({ [SQL]: forOthers }, /is sealed for other keys than the one that was given/);
    await isRefused(
      { 'backup.json.gz.age': forOthers },
      /its header is for other recipients than the receipt says/,
    );
  });

  test('not sealed, among the others', async () => {
    const { receipt, object } = await verify.rewritten(
      made,
      {},
      { added: { 'dump.sql': Buffer.from('SELECT 1') } },
    );
    const { failure = '' } = await verify.proof(receipt, object, identities);
    assert.match(failure, /"dump\.sql" in it is not sealed, as the others are/);
    await assert.rejects(take(receipt), /"dump\.sql" in it is not sealed, as the others are/);
  });

  test('packed so that more comes out than there is room for', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 2 ** 20));
    const forged = await sealWhole(bomb, await readRecipients([team.recipient]));
    await isRefused(
      { 'backup.json.gz.age': forged },
      /backup\.json\.gz\.age in the archive cannot be understood: it is longer than/,
    );
  });
});
