import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Ended, type Run, Scene } from '../support/backup-run.ts';
import { grow } from '../support/growth.ts';
import { holdDump } from '../support/hold-dump.ts';
import type { RawInputs } from '../support/inputs.ts';
import { assertNothingOnHost, processesOf } from '../support/leftovers.ts';
import { psql } from '../support/postgres.ts';
import { restrictedUser, type S3Server } from '../support/s3.ts';
import { type S3Rule, type SeenRequest, startS3Proxy } from '../support/s3-proxy.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { untilCount, waitingWith } from '../support/until-waits.ts';

/**
 * The scene looks after each of these that nothing is left: no object, no upload, no process, no file, no session. Each
 * of the inner suites has a scene of its own, and three run side by side.
 */
suite('a backup that fails', { concurrency: 3 }, () => {
  /** Opens one with so many files of 5 MB besides its own: more than passes at once, so that there is a middle. */
  const openScene = async (count: number): Promise<Scene> => {
    const scene = await Scene.open();
    await grow(scene.sandbox, scene.odoo, { attachments: [{ count, size: 5_000_000, kind: 'photo' }] });
    return scene;
  };
  /** The scene of a suite. */
  const useScene = (count: number): (() => Scene) => {
    let scene: Scene;
    before(async () => {
      scene = await openScene(count);
    });
    after(() => scene?.[Symbol.asyncDispose]());
    return () => scene;
  };

  const withServer = ({
    endpoint,
    accessKeyId,
    secretAccessKey,
  }: S3Server): [object, Record<string, string>] => [
    { 's3-endpoint': endpoint },
    { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
  ];

  // They share a scene: none of them comes as far as its host, or its bucket.
  suite('at the login', { concurrency: true }, () => {
    const scene = useScene(0);
    for (const [what, inputs, exitCode, ...words] of [
      [
        'a key that the host does not know',
        () => ({ 'ssh-key': scene().sandbox.keys.unknown }),
        1,
        /refused the key/,
        /authorized_keys/,
      ],
      [
        'a host key that nobody vouched for',
        () => ({
          'ssh-fingerprint': '',
          'ssh-known-hosts':
            'other.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP/Mw93viTi0UOSYpDau16RuLFCxCq/pxvLj9IaP7E4/',
        }),
        1,
        /SHA256:\S+/,
        /ssh-known-hosts/,
      ],
      [
        'another fingerprint than the host has',
        () => ({ 'ssh-fingerprint': `SHA256:${'A'.repeat(43)}` }),
        1,
        /SHA256:\S+/,
      ],
      [
        'a port where nobody listens',
        () => ({ 'ssh-port': '1' }),
        1,
        /the connection was refused/,
        /ssh-port/,
      ],
    ] as const) {
      test(what, async () => {
        await scene().fails({ ...inputs() }, exitCode, ...words);
      });
    }
  });

  const isPart = ({ method, query }: SeenRequest) => method === 'PUT' && query.has('partNumber');
  const withRules = async (
    scene: Scene,
    rules: readonly S3Rule[],
    body: (run: Promise<Ended>) => Promise<void>,
  ) => {
    await using proxy = await startS3Proxy(scene.sandbox.s3, rules);
    await body(scene.run(...withServer(proxy)));
  };

  suite('at S3', { concurrency: false }, () => {
    const scene = useScene(3);

    test('no such bucket', async () => {
      await scene().fails({ 's3-bucket': 'no-such-bucket-here' }, 1, /no-such-bucket-here/, /s3-bucket/);
    });

    test('wrong keys', async () => {
      const run = scene().run({}, { AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'wrong' });
      await scene().fails(run, 1, /AWS_ACCESS_KEY_ID|credentials/);
    });

    test('keys that may look and not write', async () => {
      const reader = await restrictedUser(scene().sandbox.s3, scene().bucket, [
        's3:ListBucket',
        's3:GetObject',
      ]);
      await scene().fails(scene().run(...withServer(reader)), 1, /s3:PutObject/);
    });

    test('errors that pass are overcome', async () => {
      const fault = { kind: 'error', status: 500, code: 'InternalError' } as const;
      await withRules(scene(), [{ when: isPart, fault, times: 2 }], async (run) => {
        await scene().made(await run);
      });
    });

    test('a server that stored other bytes', async () => {
      const fault = { kind: 'etag', value: '"00000000000000000000000000000000"' } as const;
      await withRules(scene(), [{ when: isPart, fault }], async (run) => {
        await scene().fails(run, 1, /MD5/);
      });
    });
  });

  // Each waits before it asks S3 again: for half a minute, or for seconds.
  suite('at S3 again and again', { concurrency: true }, () => {
    test('errors that stay', async () => {
      await using scene = await openScene(2);
      const fault = { kind: 'error', status: 503, code: 'SlowDown' } as const;
      await withRules(scene, [{ when: isPart, fault }], async (run) => {
        const { log } = await scene.fails(run, 1, /asks to slow down \(SlowDown\)/, /asked again for \d+ s/);
        assert.equal(log.match(/does not answer as it did before \(HTTP 503, SlowDown\)/g)?.length, 1, log);
      });
    });

    test('an archive that does not read back is removed', async () => {
      await using scene = await openScene(0);
      const when = ({ method, path }: { method: string; path: string }) =>
        method === 'GET' && path.endsWith('.zip');
      await withRules(scene, [{ when, fault: { kind: 'truncate', bytes: 100 } }], async (run) => {
        const ended = await scene.fails(run, 1);
        assert.match(ended.log, /^Verify /m);
      });
    });
  });

  /** Waits until pg_dump waits for the lock that `holdDump` holds. */
  const untilDumpWaits = async ({ sandbox, odoo }: Scene, run: Promise<Ended>): Promise<void> => {
    const dumpWaits = `datname = '${odoo.database}' AND ${waitingWith('LOCK TABLE')}`;
    const early: { log?: string } = {};
    void run.then(({ log }) => Object.assign(early, { log }));
    await untilCount(sandbox.postgres, dumpWaits, (count) => {
      assert.equal(early.log, undefined, 'the run has ended');
      return count > 0;
    });
  };

  suite('on the way', { concurrency: false }, () => {
    const scene = useScene(4);
    const overProxy = ({ port }: { port: number }, inputs: RawInputs = {}) =>
      scene().run({ 'ssh-port': String(port), format: 'odoo', ...inputs });

    for (const [what, cutAfterBytes, inputs, group] of [
      ['early', 400_000, {}, /^Snapshot of the database/m],
      ['in the filestore', 12_000_000, {}, /^ *Filestore: \d+ files, /m],
      [
        'while the folder of format directory is sent',
        3_000_000,
        { format: 'directory', compression: '0' },
        /into a folder on the host/,
      ],
    ] as const) {
      test(`a connection that is cut ${what}`, async () => {
        await using proxy = await startTcpProxy(scene().ssh, { cutAfterBytes });
        await scene().fails(overProxy(proxy, inputs), 1, group, /Connection to .* was lost/);
      });
    }

    test('a connection that is cut while pg_dump fills the folder of format directory', async () => {
      const { sandbox, odoo, ssh } = scene();
      await using held = await holdDump(sandbox.postgres, odoo.database);
      const proxy = await startTcpProxy(ssh);
      const run = overProxy(proxy, { format: 'directory' });
      await untilDumpWaits(scene(), run);
      assert.notDeepEqual(await readdir(ssh.tmp), []);
      await proxy[Symbol.asyncDispose]();
      // While the lock is held: pg_dump does not end by itself.
      await assertNothingOnHost(ssh);
      await held[Symbol.asyncDispose]();
      await scene().fails(run, 1, /into a folder on the host/, /Connection to .* was lost/);
    });
  });

  const kill = async ({ ssh }: Scene, name: string, signal: NodeJS.Signals) => {
    for (const until = Date.now() + 120_000; Date.now() < until; await sleep(20)) {
      const found = (await processesOf(ssh)).find((each) => each.endsWith(` ${name}`));
      if (found) return process.kill(Number.parseInt(found, 10), signal);
    }
    throw new Error(`no ${name} runs`);
  };

  suite('on the host', { concurrency: false }, () => {
    const scene = useScene(0);
    /** Makes a run and holds it in pg_dump while something happens to it. */
    const inDump = async (happens: () => Promise<unknown>): Promise<Ended> => {
      await using _ = await holdDump(scene().sandbox.postgres, scene().odoo.database);
      const run = scene().run({ format: 'odoo' });
      await untilDumpWaits(scene(), run);
      await happens();
      return run;
    };

    for (const [name, signal] of [
      ['pg_dump', 'SIGKILL'],
      ['pg_dump', 'SIGTERM'],
      ['zstd', 'SIGKILL'],
    ] as const) {
      test(`${name} is ended by ${signal}`, async () => {
        const run = inDump(() => kill(scene(), name, signal));
        await scene().fails(run, 1, /pg_dump failed/, /No archive was made/);
      });
    }

    test('PostgreSQL ends the sessions', async () => {
      const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = '${scene().odoo.database}' AND application_name = 'odoo-backup'`;
      const held = await holdDump(scene().sandbox.postgres, scene().odoo.database);
      const run = scene().start({ format: 'odoo' });
      await run.says(/^ *Dump for Odoo/m); // what is asked of the snapshot, in another of these sessions, is answered
      await untilDumpWaits(scene(), run.ended);
      await psql(scene().sandbox.postgres, 'postgres', sql);
      await run.ended;
      await held[Symbol.asyncDispose]();
      await scene().fails(run, 1, /pg_dump failed/);
    });
  });

  suite('on the host, in its files', () => {
    test('tar is killed', async () => {
      // More than is held in memory while S3 takes nothing: tar has not ended by then.
      await using scene = await openScene(22);
      const killed = Promise.withResolvers<void>();
      const fault = { kind: 'withhold', until: () => killed.promise } as const;
      const when = ({ method }: SeenRequest) => method === 'PUT';
      await using proxy = await startS3Proxy(scene.sandbox.s3, [{ when, fault }]);
      const [inputs, env] = withServer(proxy);
      const run = scene.start({ format: 'odoo', ...inputs }, env);
      await run.says(/^ *Filestore: \d+ files, /m);
      await kill(scene, 'tar', 'SIGKILL');
      killed.resolve();
      await scene.fails(run, 1, /^error: The files in \S+ could not be read: /m);
    });
  });

  suite('that ends in the dump', { concurrency: false }, () => {
    const scene = useScene(0);
    for (const [signal, exitCode, inputs] of [
      ['SIGINT', 130, { format: 'odoo' }],
      ['SIGTERM', 143, { format: 'odoo' }],
      ['SIGTERM', 143, { format: 'directory' }],
      ['SIGTERM', 143, { format: 'plain', filestore: 'false' }],
      ['SIGTERM', 143, { format: 'custom', filestore: 'false' }],
    ] as const) {
      test(`cancelled by ${signal} in the dump (format ${inputs.format})`, async () => {
        await using held = await holdDump(scene().sandbox.postgres, scene().odoo.database);
        const run = scene().start(inputs);
        await run.says(/^ *Dump/m);
        run.child.kill(signal);
        await run.ended; // also while the dump stands still
        await held[Symbol.asyncDispose]();
        await scene().fails(run, exitCode, new RegExp(`Cancelled \\(${signal}\\)`));
      });
    }

    for (const inputs of [{ format: 'odoo' }, { format: 'custom', filestore: 'false' }] as const) {
      test(`ended by an error of S3 in the dump, which stands still (format ${inputs.format})`, async () => {
        await using held = await holdDump(scene().sandbox.postgres, scene().odoo.database);
        const fault = { kind: 'error', status: 403, code: 'AccessDenied' } as const;
        const when = ({ method, path }: SeenRequest) => method === 'HEAD' && /\.(zip|dump)$/.test(path);
        await using proxy = await startS3Proxy(scene().sandbox.s3, [{ when, fault }]);
        const [more, env] = withServer(proxy);
        const run = scene().start({ ...inputs, ...more }, env);
        await run.ended;
        await held[Symbol.asyncDispose]();
        await scene().fails(run, 1, /^error: S3 denied s3:GetObject/m);
      });
    }
  });

  suite('that is cancelled at S3', { concurrency: false }, () => {
    const scene = useScene(4);
    for (const [what, isIt] of [
      ['while parts are under way', ({ query }: SeenRequest) => query.has('partNumber')],
      [
        'while the object is made',
        ({ method, query }: SeenRequest) => method === 'POST' && query.has('uploadId'),
      ],
      ['while it is verified', ({ method, path }: SeenRequest) => method === 'GET' && path.endsWith('.zip')],
    ] as const) {
      test(`cancelled ${what}`, async () => {
        const cancelling: { run?: Run } = {};
        const until = async () => {
          cancelling.run?.child.kill('SIGTERM');
          await cancelling.run?.says(/Cancelled/);
        };
        const rule: S3Rule = { when: isIt, fault: { kind: 'withhold', until }, times: 1 };
        await using proxy = await startS3Proxy(scene().sandbox.s3, [rule]);
        const [inputs, env] = withServer(proxy);
        cancelling.run = scene().start({ format: 'odoo', ...inputs }, env);
        await scene().fails(cancelling.run, 143, /Cancelled \(SIGTERM\)/);
      });
    }
  });
});
