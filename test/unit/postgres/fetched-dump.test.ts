import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { LocalHost } from '../../../src/host/local-host.ts';
import { fetchDump, readList } from '../../../src/postgres/fetched-dump.ts';
import type { LoadingWay } from '../../../src/postgres/loading-way.ts';
import type { Postgres } from '../../../src/postgres/server.ts';
import { ContentError } from '../../../src/util/errors.ts';
import { opened } from '../../support/dump-pieces.ts';

const fixture = (name: string): Buffer =>
  gunzipSync(readFileSync(new URL(`../../fixtures/custom-format/${name}.gz`, import.meta.url)));
const whole = fixture('17.dump');

suite('a dump that is loaded as it arrives', { concurrency: false }, () => {
  const before = process.env.TMPDIR;
  let place: string;
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'fetched-dump-'));
    process.env.TMPDIR = place;
  });
  afterEach(() => {
    rmSync(place, { recursive: true });
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });

  /** Fetches a dump onto this machine, and tells when its source has ended. */
  function fetched(bytes: Buffer, host: LocalHost, onChunk = () => {}) {
    let hasEnded = false;
    const ended = Promise.withResolvers<void>();
    const open = async function* () {
      try {
        for (let at = 0; at < bytes.length; at += 1000) {
          onChunk();
          yield bytes.subarray(at, at + 1000);
        }
      } finally {
        hasEnded = true;
        ended.resolve();
      }
    };
    const dump = { kind: 'custom', size: bytes.length, open } as const;
    const fetch = (signal?: AbortSignal, ways: readonly LoadingWay[] = ['arriving', 'stream']) =>
      fetchDump({ host, account: undefined } as Partial<Postgres> as Postgres, dump, ways, {
        tools: { clients: [], programs: new Set(['gzip']), cores: 1 },
        signal,
      });
    return { dump, fetch, ended: ended.promise, hasEnded: () => hasEnded };
  }

  test('has its table of contents on the host, and all its bytes still to come', async () => {
    await using host = new LocalHost();
    const { fetch, hasEnded } = fetched(whole, host);
    const file = await fetch();
    assert.ok(file?.arriving);
    const { start } = await opened(whole);
    assert.ok(readFileSync(file.path).equals(start));
    assert.equal(statSync(file.path).mode & 0o777, 0o600);
    assert.equal(file.toc, fixture('17.list').toString('utf8'));
    assert.ok(!hasEnded());
    assert.ok((await buffer(file.arriving)).equals(whole));
    await file[Symbol.asyncDispose]();
    assert.ok(!existsSync(file.path));
  });

  test('is given up: its source is ended, and nothing stays on the host', async () => {
    await using host = new LocalHost();
    const { fetch, ended } = fetched(whole, host);
    await (await fetch())?.[Symbol.asyncDispose]();
    await ended;
    assert.deepEqual(readdirSync(place), []);
  });

  test('is cancelled meanwhile: the reason is told, and nothing stays on the host', async () => {
    await using host = new LocalHost();
    const cancel = new AbortController();
    const reason = new Error('SIGTERM');
    const { fetch, ended } = fetched(whole, host, () => cancel.abort(reason));
    await assert.rejects(fetch(cancel.signal), reason);
    await ended;
    assert.deepEqual(readdirSync(place), []);
  });

  test('is cut within its table of contents', async () => {
    await using host = new LocalHost();
    const { fetch, ended } = fetched(whole.subarray(0, 5000), host);
    await assert.rejects(fetch(), ContentError);
    await ended;
    assert.deepEqual(readdirSync(place), []);
  });

  test('fails within its table of contents: that is told', async () => {
    await using host = new LocalHost();
    let chunks = 0;
    const broken = new Error('S3 is gone');
    const { fetch, ended } = fetched(whole, host, () => {
      chunks += 1;
      if (chunks === 4) throw broken;
    });
    await assert.rejects(fetch(), broken);
    await ended;
    assert.deepEqual(readdirSync(place), []);
  });

  test('that is to be loaded as a stream is not even read', async () => {
    await using host = new LocalHost();
    const { fetch } = fetched(whole, host, () => assert.fail('read'));
    assert.equal(await fetch(undefined, ['stream']), undefined);
  });

  test('in a version of the format that is not known here: nothing stays on the host', async () => {
    await using host = new LocalHost();
    const newer = Buffer.from(whole);
    newer[6] = 99; // behind PGDMP and the major version
    const { dump, fetch, ended } = fetched(newer, host);
    assert.equal(await readList(dump), undefined);
    assert.equal(await fetch(), undefined);
    await ended;
    assert.deepEqual(readdirSync(place), []);
  });

  test('its table of contents can be read alone', async () => {
    await using host = new LocalHost();
    const { dump, hasEnded } = fetched(whole, host);
    assert.equal(await readList(dump), fixture('17.list').toString('utf8'));
    assert.ok(hasEnded());
  });
});
