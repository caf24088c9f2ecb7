import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { member, members } from '../support/backup-check.ts';
import { run } from '../support/processes.ts';
import { useRootedBackups } from '../support/rooted-backup.ts';
import type { RootedHost } from '../support/rooted-host.ts';
import { useSandbox } from '../support/sandbox.ts';

const { bin } = useSandbox().postgres;

/** What a backup needs of a host's programs, and what it does without. */
suite('a host that lacks programs', { concurrency: 3 }, () => {
  const { onHost, succeeds, fails } = useRootedBackups();

  /** Puts other client programs in the place of PostgreSQL's. The server has long been started. */
  const replaceClients = (host: RootedHost, script: string) =>
    host.exec(['sh', '-ec', `mkdir /run/clients; cd /run/clients; ${script}; mount --bind . ${bin}`]);

  test('no pg_dump: the package that has it', async () => {
    await onHost({}, async (host) => {
      await replaceClients(host, ':');
      await fails(
        host,
        {},
        /No PostgreSQL client on deploy@127\.0\.0\.1:\d+/,
        /apt-get install postgresql-client$/m,
      );
    });
  });

  test('a pg_dump older than the server: the package of the server’s version', async () => {
    await onHost({}, async (host) => {
      const older = `cp ${bin}/psql ${bin}/pg_isready . && echo 'echo "pg_dump (PostgreSQL) 13.5"' >pg_dump && chmod +x pg_dump`;
      await replaceClients(host, older);
      await fails(
        host,
        {},
        /pg_dump on \S+ is too old: the server is PostgreSQL 15\.\d+, pg_dump is 13/,
        /apt-get install postgresql-client-15$/m,
      );
    });
  });

  /** Installs programs that are gzip, and leave a sign when they run. */
  const recordGzip = (host: RootedHost, names: readonly string[]) => {
    const script = `mkdir /run/bin && cd /run/bin && for name do
        printf '#!/bin/sh\\ntouch /tmp/ran-%s\\nexec /usr/bin/gzip "$@"\\n' "$name" >"$name"; chmod 755 "$name"
      done; mount --bind . /usr/local/bin`;
    return host.exec(['sh', '-ec', script, 'sh', ...names]);
  };
  const ran = async (host: RootedHost) =>
    (await host.exec(['find', '/tmp', '-name', 'ran-*'])).replaceAll('/tmp/ran-', '').trim();

  for (const [what, has, compressor] of [
    ['without zstd and pigz, gzip compresses on the wire', ['gzip'], 'gzip'],
    ['without zstd, pigz goes before gzip', ['gzip', 'pigz'], 'pigz'],
    ['without any compressor, the bytes travel as they are', [], ''],
  ] as const) {
    test(what, async () => {
      await onHost(
        { without: compressor === '' ? ['zstd', 'pigz', 'gzip'] : ['zstd', 'pigz'] },
        async (host) => {
          await recordGzip(host, has);
          const { object } = await succeeds(host);
          assert.equal(await ran(host), compressor);
          const path = join(tmpdir(), `backup-programs-${process.pid}-${compressor}.zip`);
          await writeFile(path, object);
          try {
            assert.match(String(await member(path, 'dump.sql')), /^-- PostgreSQL database dump complete$/m);
            assert.equal((await members(path)).length, 209);
            await run(['unzip', '-tqq', path]);
          } finally {
            await rm(path);
          }
        },
      );
    });
  }

  test('a full /tmp is of no matter, unless the format is directory', async () => {
    await onHost({ tmpMiB: 2 }, async (host) => {
      await host.exec([
        'sh',
        '-c',
        'head -c 4M /dev/zero >/tmp/full 2>/dev/null; df -Pk /tmp | grep -q 100%',
      ]);
      await succeeds(host);
      await fails(host, { format: 'directory' }, /Too little space on the host for format directory/);
    });
  });
});
