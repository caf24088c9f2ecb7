import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Command, Host } from '../../../src/host/host.ts';
import { LocalHost } from '../../../src/host/local-host.ts';
import type { LoadingWay } from '../../../src/postgres/loading-way.ts';
import { dumpOnItsWay } from '../../../src/restore/dump-on-its-way.ts';
import { SpaceGoneError } from '../../../src/restore/space-watch.ts';
import type { Work } from '../../../src/restore/work.ts';

suite('a dump that is brought to a host while its database is created', { concurrency: false }, () => {
  const before = process.env.TMPDIR;
  const { signal } = new AbortController();
  const progress = { add() {} };
  let place: string;
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'dump-on-its-way-'));
    process.env.TMPDIR = place;
  });
  afterEach(() => {
    rmSync(place, { recursive: true });
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });

  /** A host on whose disk of the database so much is left of a GiB. */
  function workOn(
    local: LocalHost,
    freeKiB: number,
    ways: readonly LoadingWay[],
    open: () => Readable,
  ): Work {
    const isLook = ({ argv }: Command) => argv.at(-1) === '/data';
    const said = `head\n/dev/data 9 9 ${freeKiB} 9% /data\n`;
    const start = (command: Command) =>
      local.start(isLook(command) ? { ...command, argv: ['printf', '%s', said] } : command);
    const host = { label: 'here', start } as Partial<Host> as Host;
    const disk = { device: '/dev/data', mount: '/data', free: 2 ** 30 };
    const work = {
      source: { dump: { kind: 'custom', name: 'shop.dump', size: 1000, open } },
      findings: { loader: { host, account: undefined }, ways, databaseDisk: disk, walDisk: disk },
      target: { installation: { tools: { clients: [], programs: new Set(['gzip']), cores: 1 } } },
    };
    return work as unknown as Work;
  }

  test('and is larger than it says: it ends before PostgreSQL has no space, and nothing stays', async () => {
    await using local = new LocalHost();
    const endless = async function* () {
      for (;;) {
        yield Buffer.alloc(64);
        await new Promise(setImmediate);
      }
    };
    await using fetching = dumpOnItsWay(workOn(local, 1000, ['file'], () => Readable.from(endless())));
    fetching?.begin(signal);
    await assert.rejects(async () => fetching?.take(signal, progress), SpaceGoneError);
    assert.deepEqual(readdirSync(place), []);
  });

  test('as it arrives: its bytes are there for as long as nobody has taken them', async () => {
    await using local = new LocalHost();
    const fixture = new URL('../../fixtures/custom-format/17.dump.gz', import.meta.url);
    const whole = gunzipSync(readFileSync(fixture));
    const open = () =>
      Readable.from([whole.subarray(0, -1000), whole.subarray(-1000)], { objectMode: false });
    await using fetching = dumpOnItsWay(workOn(local, 2 ** 20, ['arriving'], open));
    fetching?.begin(signal);
    const file = await fetching?.take(signal, progress);
    await new Promise(setImmediate); // what is aborted behind it would be by now
    assert.ok(file?.arriving);
    assert.ok((await buffer(file.arriving)).equals(whole));
    await file[Symbol.asyncDispose]();
  });
});
