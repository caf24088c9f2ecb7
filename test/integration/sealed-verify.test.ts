import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, suite, test } from 'node:test';
import { readIdentities } from '../../src/sealing/identities.ts';
import { AgeKeys } from '../support/age-keys.ts';
import { member } from '../support/backup-check.ts';
import { jsonOf, type Made, outputsOf } from '../support/backup-run.ts';
import type { RawInputs } from '../support/inputs.ts';
import { flipped, placesOf, VerifyScene } from '../support/verify-scene.ts';
import { entriesOf } from '../support/zips.ts';

const maxBuffer = 2 ** 28;

const formats: Readonly<Record<string, RawInputs>> = {
  dual: {},
  directory: { format: 'directory', jobs: '2' },
  'dual, not compressed': { compression: '0', filestore: 'false' },
  'custom, bare': { format: 'custom', filestore: 'false' },
  'plain, bare': { format: 'plain', filestore: 'false' },
};

suite('sealed backups, verified', { concurrency: false }, () => {
  const keys = new AgeKeys();
  const [team, safe, stranger] = [keys.newKey(), keys.newKey(), keys.newKey()];
  const [ofTeam, ofStranger] = [team, stranger].map(({ text }) => readIdentities(text));
  let verify: VerifyScene;
  const backups = new Map<string, Made>();
  const madeAs = (format: string): Made => backups.get(format) ?? assert.fail(format);
  before(async () => {
    verify = await VerifyScene.open();
    const sealing = { 'encrypt-to': `${team.recipient} ${safe.recipient}` };
    for (const [name, inputs] of Object.entries(formats)) {
      backups.set(name, await verify.scene.backup({ ...sealing, ...inputs }));
    }
  });
  after(async () => {
    keys[Symbol.dispose]();
    await verify?.[Symbol.asyncDispose]();
  });

  for (const format of Object.keys(formats)) {
    test(`${format}: passes as it is`, async () => {
      const { receipt, object } = madeAs(format);
      assert.equal((await verify.proof(receipt, object, ofTeam)).failure, undefined);
    });
  }

  const members: readonly (readonly [pattern: RegExp, format: string])[] = [
    [/^dump\.sql\.gz\.age$/, 'dual'],
    [/\.dump\.gz\.age$/, 'dual'],
    [/^filestore\/.*\.age$/, 'dual'],
    [/^backup\.json\.gz\.age$/, 'dual'],
    [/^manifest\.json$/, 'dual'],
    [/^dump\/\d+\.dat.*\.age$/, 'directory'],
  ];
  for (const [pattern, format] of members) {
    test(`a bit of ${pattern.source} is another, wherever it is`, async () => {
      const { receipt, object } = madeAs(format);
      const { header, data, dataEnd, directory } = await placesOf(object, pattern);
      const places = {
        'the header of the zip': header + 14,
        'the name': header + 31,
        'the version of age': data + 5,
        'the first recipient': data + 60,
        'its file key': data + 100,
        'the second recipient': data + 150,
        'the MAC of the header': data + 230,
        'the nonce': data + 255,
        'the content': Math.floor((data + dataEnd) / 2),
        'the last tag': dataEnd - 1,
        'the directory': directory + 16,
      };
      for (const [where, at] of Object.entries(places)) {
        const { failure } = await verify.proof(receipt, flipped(object, at), ofTeam);
        assert.ok(failure !== undefined, `${where}: it passed`);
      }
    });
  }

  test('a bit of a bare dump is another, wherever it is', async () => {
    for (const format of ['custom, bare', 'plain, bare']) {
      const { receipt, object } = madeAs(format);
      for (const at of [5, 60, 100, 150, 230, 255, 4000, object.length >> 1, object.length - 1]) {
        const { failure } = await verify.proof(receipt, flipped(object, at), ofTeam);
        assert.ok(failure !== undefined, `${format}, ${at}: it passed`);
      }
    }
  });

  test('members that the program age has sealed are taken like ours', async () => {
    const made = madeAs('dual');
    const sealAgain = async (name: string): Promise<[string, Buffer]> => {
      const content = execFileSync('age', ['-d', '-i', safe.path], {
        input: await member(made.path, name),
        maxBuffer,
      });
      return [
        name,
        execFileSync('age', ['-r', team.recipient, '-r', safe.recipient], { input: content, maxBuffer }),
      ];
    };
    const names = [...(await entriesOf(Buffer.from(made.object))).keys()].filter((name) =>
      name.endsWith('.age'),
    );
    const some = names.filter((name) => !name.startsWith('filestore/') || name.startsWith('filestore/a'));
    const change = Object.fromEntries(await Promise.all(some.map(sealAgain)));
    const { receipt, object } = await verify.rewritten(made, change);
    assert.equal((await verify.proof(receipt, object, ofTeam)).failure, undefined);
  });

  test('another identity says nothing about the archive: no proof is written', async () => {
    for (const format of ['dual', 'custom, bare']) {
      const { receipt, object } = madeAs(format);
      await assert.rejects(verify.proof(receipt, object, ofStranger), (error: Error) => {
        assert.equal(error.name, 'UserError');
        assert.match(error.message, /and the identity that is given is of age1/);
        return true;
      });
      const before = await verify.receiptText(receipt.key);
      for (const inputs of [{}, { 'decrypt-with': stranger.path }]) {
        const { exitCode, log } = await verify.run({ ...inputs, backup: receipt.key });
        assert.equal(exitCode, 1, log);
        assert.ok(log.includes(`is sealed for ${team.recipient}, ${safe.recipient}`), log);
      }
      assert.equal(await verify.receiptText(receipt.key), before);
    }
  });

  test('the command, to every level', async () => {
    const { receipt, object } = madeAs('dual');
    await verify.put(receipt, object);
    const inputs = { backup: receipt.key, verify: 'restore', 'decrypt-with': safe.path };
    const ended = await verify.run(inputs);
    assert.equal(ended.exitCode, 0, ended.log);
    assert.equal(outputsOf(ended).verified, 'restore');
    const { proofs } = await verify.receipt(receipt.key);
    assert.deepEqual(
      proofs.map(({ level, failure }) => [level, failure]),
      [
        ['upload', undefined],
        ['contents', undefined],
        ['restore', undefined],
      ],
    );
  });

  test('list, gate and prune need no identity, refuse one, and say for whom it is sealed', async () => {
    const { receipt, object } = madeAs('dual');
    await verify.put(receipt, object);
    const { database } = receipt;
    const asking = (command: string, inputs: RawInputs = {}) =>
      verify.run({ database, ...inputs }, undefined, command);
    const list = await asking('list');
    assert.equal(list.exitCode, 0, list.log);
    assert.match(list.log, new RegExp(`${team.recipient.slice(0, 12)}…, ${safe.recipient.slice(0, 12)}…`));
    const entry = jsonOf(list).find(({ key }: { key: string }) => key === receipt.key);
    assert.deepEqual(entry?.sealedFor, [team.recipient, safe.recipient]);
    const gate = await asking('gate', { backup: receipt.key });
    assert.equal(gate.exitCode, 0, gate.log);
    assert.ok(gate.log.includes(`for ${team.recipient}, ${safe.recipient}`), gate.log);
    const prune = await asking('prune', { 'dry-run': 'true' });
    assert.equal(prune.exitCode, 0, prune.log);
    for (const command of ['list', 'gate', 'prune']) {
      const { exitCode, log } = await asking(command, { 'decrypt-with': team.path });
      assert.equal(exitCode, 2, log);
      assert.ok(log.includes(`decrypt-with: ${command} needs no key that reads`), log);
    }
  });
});
