import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { receiptKey } from '../../src/catalog/keys.ts';
import { signProof, signReceipt } from '../../src/catalog/signatures.ts';
import { keySigner } from '../../src/host/ssh/signers.ts';
import { canonicalJson } from '../../src/util/json.ts';
import { cleanEnvironment, type Ended, jsonOf, outputsOf, runCommand } from '../support/backup-run.ts';
import type { RawInputs } from '../support/inputs.ts';
import { RollbackScene } from '../support/rollback-scene.ts';
import { getObject } from '../support/s3.ts';
import { type KeyFile, KeyFolder, SshAgent } from '../support/ssh-keygen.ts';

// biome-ignore lint/suspicious/noExplicitAny: JSON of which every value may be wrong
type Json = any;

/**
 * Who writes to the bucket has all of an honest backup, and keys of its own, but not the key of a trusted signer. The
 * whole program is run on each forgery: the gate stays shut, and a rollback changes nothing.
 */
suite('signatures, against who writes to the bucket', { concurrency: false }, () => {
  let scene: RollbackScene;
  let keys: KeyFolder;
  let us: KeyFile;
  let stranger: KeyFile;
  let signers = '';
  /** An honest backup. */
  let key = '';
  let receipt: Json;
  let archive: Uint8Array;

  before(async () => {
    scene = await RollbackScene.open();
    keys = new KeyFolder();
    [us, stranger] = [keys.newKey('-t', 'ed25519'), keys.newKey('-t', 'ed25519')];
    signers = `ci@example.com namespaces="odoo-backup" ${us.publicKey}`;
    const { outputs } = await scene.succeeds('backup', { 'signing-key': us.pem, 'trusted-signers': signers });
    key = outputs.key ?? '';
    [archive, receipt] = [await read(key), JSON.parse(Buffer.from(await read(receiptKey(key))).toString())];
  });
  after(async () => {
    keys?.[Symbol.dispose]();
    await scene?.[Symbol.asyncDispose]();
  });

  const read = (name: string) => getObject(scene.scene.client, scene.scene.bucket, name);

  async function put(name: string, body: Uint8Array | Json): Promise<void> {
    const Body = body instanceof Uint8Array ? body : JSON.stringify(body);
    await scene.scene.client.send(new PutObjectCommand({ Bucket: scene.scene.bucket, Key: name, Body }));
  }

  /** The honest backup, as it was. */
  async function putBack(): Promise<void> {
    await put(key, archive);
    await put(receiptKey(key), receipt);
  }

  function catalog(command: string, inputs: RawInputs = {}): Promise<Ended> {
    const { 's3-bucket': bucket, 's3-endpoint': endpoint, customer } = scene.scene.inputs;
    const where = { 's3-bucket': bucket, 's3-endpoint': endpoint, customer, database: scene.database };
    return runCommand(
      command,
      { ...where, 'trusted-signers': signers, ...inputs },
      cleanEnvironment(scene.scene.sandbox.s3),
    );
  }

  /** Nothing takes it for a backup: no gate, no rollback, no prune, no list. */
  async function countsForNothing(words: RegExp, named = key): Promise<void> {
    const gate = await catalog('gate', { backup: named });
    assert.equal(gate.exitCode, 3, gate.log);
    assert.match(gate.log, words);
    const before = await scene.traces();
    const rollback = await scene.run('rollback', { backup: named, 'trusted-signers': signers });
    assert.notEqual(rollback.exitCode, 0, rollback.log);
    assert.match(rollback.log, words);
    assert.doesNotMatch(`${gate.log}${rollback.log}`, /\n\s+at .*\.(?:ts|mjs):/);
    assert.deepEqual(await scene.traces(), before);
  }

  test('the honest one counts, and says by whom it is signed', async () => {
    await putBack();
    const gate = await catalog('gate');
    assert.equal(gate.exitCode, 0, gate.log);
    assert.match(
      gate.log,
      new RegExp(`Signed +ci@example\\.com \\(${us.fingerprint.replaceAll('+', '\\+')}\\)`),
    );
    const list = await catalog('list');
    const [entry] = jsonOf(list);
    assert.deepEqual(entry.signedBy, { fingerprint: us.fingerprint, principals: 'ci@example.com' });
    await scene.damage();
    const { log } = await scene.succeeds('rollback', { 'trusted-signers': signers });
    assert.match(log, /Signed +ci@example\.com \(SHA256:/);
  });

  test('it is checked without this program, by jq and ssh-keygen', async () => {
    const file = (name: string) => join(scene.scene.folder, name);
    await writeFile(file('receipt.json'), await read(receiptKey(key)));
    await writeFile(file('signers'), `${signers}\n`);
    const shell = `
      jq -cjS 'del(.proofs, .signature)' receipt.json > statement
      jq -r .signature receipt.json > statement.sig
      ssh-keygen -Y verify -f signers -I ci@example.com -n odoo-backup -s statement.sig < statement`;
    const said = execFileSync('sh', ['-ec', shell], { cwd: scene.scene.folder, encoding: 'utf8' });
    assert.match(said, /^Good "odoo-backup" signature for ci@example\.com with ED25519 key/);
  });

  test('the signature left out', async () => {
    const { signature: _, ...bare } = receipt;
    await put(receiptKey(key), bare);
    await countsForNothing(/is not signed/);
    await putBack();
  });

  test('signed with another key', async () => {
    const { signature: _, ...bare } = receipt;
    const forged = await signReceipt(bare, keySigner({ pem: stranger.pem }, 'signing-key'));
    await put(receiptKey(key), forged);
    await countsForNothing(/is signed with a key that is not in the list of trusted signers: SHA256:/);
    await putBack();
  });

  test('any field changed', async () => {
    const changes: Json = {
      counts: {},
      obstacles: [],
      filestore: null,
      bytesSent: 0,
      sums: {},
      bucket: 'other',
    };
    for (const [name, value] of Object.entries(changes)) {
      await put(receiptKey(key), { ...receipt, [name]: value });
      const gate = await catalog('gate');
      assert.equal(gate.exitCode, 3, `${name}: ${gate.log}`);
      assert.match(gate.log, /has a signature that does not fit what it says/);
    }
    await countsForNothing(/has a signature that does not fit what it says/);
    await putBack();
  });

  test('an old receipt and its archive under a new key, of another database, or of another customer', async () => {
    const { database } = scene;
    const names = {
      later: `acme/backups/${database}_2030-01-01_00-00-00.zip`,
      database: key.replace(`${database}_`, 'other_'),
      customer: key.replace('acme/', 'beta/'),
    };
    for (const name of Object.values(names)) {
      await put(name, archive);
      await put(receiptKey(name), receipt);
    }
    const gates = [
      await catalog('gate', { backup: names.later }),
      await catalog('gate', { database: 'other' }),
      await catalog('gate', { customer: 'beta' }),
    ];
    for (const { exitCode, log } of gates) assert.equal(exitCode, 3, log);
    assert.match(gates[2]?.log ?? '', /its receipt was signed for acme\/backups\//);
    for (const name of Object.values(names)) {
      const before = await scene.traces();
      const { exitCode, log } = await scene.start('rollback', { backup: name, 'trusted-signers': signers })
        .ended;
      assert.notEqual(exitCode, 0, log);
      assert.match(log, /the receipt is for acme\/backups\//);
      assert.deepEqual(await scene.traces(), before);
    }
    // The honest one is still the latest one.
    assert.equal(outputsOf(await catalog('gate')).key, key);
  });

  test('the archive of another backup under an honest receipt', async () => {
    const { outputs } = await scene.succeeds('backup', { 'signing-key': us.pem, incremental: 'false' });
    const other = outputs.key ?? '';
    const theirs = await read(other);
    await put(key, theirs);
    const rollback = await scene.run('rollback', { backup: key, 'trusted-signers': signers });
    assert.notEqual(rollback.exitCode, 0, rollback.log);
    assert.match(rollback.log, /is not the archive that the receipt describes/);
    await putBack();
    for (const Key of [other, receiptKey(other)]) {
      await scene.scene.client.send(new DeleteObjectCommand({ Bucket: scene.scene.bucket, Key }));
    }
  });

  test('a proof that was made up, taken from another receipt, or of no signer at all', async () => {
    const [first] = receipt.proofs;
    const { signature: _, ...bare } = first;
    const made = { ...bare, level: 'restore', seconds: 3 };
    const strange = await signProof(made, receipt, keySigner({ pem: stranger.pem }, 'signing-key'));
    const ofOther = await signProof(made, { ...receipt, size: 1 }, keySigner({ pem: us.pem }, 'signing-key'));
    for (const proof of [made, { ...made, signature: first.signature }, strange, ofOther]) {
      await put(receiptKey(key), { ...receipt, proofs: [...receipt.proofs, proof] });
      const gate = await catalog('gate', { require: 'restore', backup: key });
      assert.equal(gate.exitCode, 3, gate.log);
      assert.match(gate.log, /is verified to the level upload: restore is required/);
    }
    await put(receiptKey(key), { ...receipt, proofs: [bare] });
    await countsForNothing(/no proof|no verification signed by a trusted signer/);
    await putBack();
  });

  test('proofs in another order', async () => {
    const ours = keySigner({ pem: us.pem }, 'signing-key');
    const contents = { ...receipt.proofs[0], level: 'contents', signature: undefined };
    const added = await signProof(contents, receipt, ours);
    await put(receiptKey(key), { ...receipt, proofs: [added, ...receipt.proofs] });
    const gate = await catalog('gate', { require: 'contents', backup: key });
    assert.equal(gate.exitCode, 3, gate.log);
    await putBack();
  });

  test('a failure that nobody has signed is no reason for prune to delete', async () => {
    const failed = {
      ...receipt.proofs[0],
      at: '2020-01-01T00:00:00Z',
      failure: 'made up',
      signature: undefined,
    };
    await put(receiptKey(key), { ...receipt, proofs: [...receipt.proofs, failed] });
    const prune = await catalog('prune', { 'dry-run': 'true', 'keep-last': '1', 'minimum-keep': '1' });
    assert.equal(prune.exitCode, 0, prune.log);
    assert.ok(!prune.log.includes(`Would delete ${key}`), prune.log);
    await countsForNothing(/who says that it has failed is not known|did not pass its verification/);
    await putBack();
  });

  test('a failure that nobody has signed sends no rollback to an older backup without a word', async () => {
    const made = await scene.succeeds('backup', { 'signing-key': us.pem, 'trusted-signers': signers });
    const newer = made.outputs.key ?? '';
    const honest = JSON.parse(Buffer.from(await read(receiptKey(newer))).toString());
    const { signature: _, ...proof } = honest.proofs[0];
    await put(receiptKey(newer), { ...honest, proofs: [...honest.proofs, { ...proof, failure: 'made up' }] });
    const { log } = await scene.succeeds('rollback', { 'dry-run': 'true', 'trusted-signers': signers });
    assert.match(
      log,
      /is not the newest backup: 1 newer one cannot be trusted, such as .*: its receipt says that it has failed, which nobody has signed: made up/,
    );
    for (const name of [newer, receiptKey(newer)]) {
      await scene.scene.client.send(new DeleteObjectCommand({ Bucket: scene.scene.bucket, Key: name }));
    }
  });

  test('another namespace: what our key has signed for something else', async () => {
    const { signature: _, proofs: __, ...rest } = receipt;
    const signature = keys.sign(us, 'git', canonicalJson(rest));
    await put(receiptKey(key), { ...receipt, signature });
    await countsForNothing(/has a signature that was made for another purpose/);
    await putBack();
  });

  test('archives that nobody has signed do not push honest ones out, and verify leaves them alone', async () => {
    const { signature: _, ...bare } = receipt;
    const newer = `acme/backups/${scene.database}_${new Date().toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-')}.zip`;
    await put(newer, archive);
    await put(receiptKey(newer), { ...bare, key: newer, startedAt: new Date().toISOString() });
    const prune = await catalog('prune', { 'dry-run': 'true', 'keep-last': '1', 'minimum-keep': '1' });
    assert.doesNotMatch(prune.log, /Would delete/);
    const { log } = await scene.succeeds('rollback', { 'dry-run': 'true', 'trusted-signers': signers });
    assert.match(
      log,
      /is not the newest backup: 1 newer one cannot be trusted, such as .*: its receipt is not signed/,
    );
    const verify = await catalog('verify', { backup: newer, verify: 'contents' });
    assert.notEqual(verify.exitCode, 0);
    assert.match(verify.log, /cannot be verified: its receipt is not signed/);
    // Told, and taken only where somebody says so.
    const named = { backup: newer, 'dry-run': 'true', 'trusted-signers': signers };
    const refused = await scene.run('rollback', named);
    assert.match(refused.log, /is not trusted: its receipt is not signed/);
    const taken = await scene.succeeds('rollback', { ...named, 'allow-unverified': 'true' });
    assert.match(taken.log, /Signed +no$/m);
  });

  test('a list of signers that is cut, or names nobody, is refused', async () => {
    for (const list of [
      signers.slice(0, -8),
      '# nobody yet',
      `ci ${us.publicKey.slice(0, 40)}\n${signers}`,
    ]) {
      const { exitCode, log } = await catalog('gate', { 'trusted-signers': list });
      assert.equal(exitCode, 2, log);
      assert.match(log, /trusted-signers(, line 1)?: /);
    }
  });

  test('verify signs what it finds, with a key or an agent', async () => {
    await putBack();
    const verify = await catalog('verify', { backup: key, 'signing-key': us.pem, verify: 'contents' });
    assert.equal(verify.exitCode, 0, verify.log);
    const gate = await catalog('gate', { require: 'contents', backup: key });
    assert.equal(gate.exitCode, 0, gate.log);
    const without = await catalog('verify', { backup: key, verify: 'contents' });
    assert.match(without.log, /warning: There is no key to sign with, so this will not count/);
    await putBack();
    using agent = new SshAgent(keys, [us]);
    const { 's3-bucket': bucket, 's3-endpoint': endpoint, customer } = scene.scene.inputs;
    const byAgent = await runCommand(
      'verify',
      { 's3-bucket': bucket, 's3-endpoint': endpoint, customer, backup: key, 'trusted-signers': signers },
      { ...cleanEnvironment(scene.scene.sandbox.s3), SSH_AUTH_SOCK: agent.socket },
    );
    assert.equal(byAgent.exitCode, 0, byAgent.log);
    assert.equal((await catalog('gate', { require: 'contents', backup: key })).exitCode, 0);
  });
});
