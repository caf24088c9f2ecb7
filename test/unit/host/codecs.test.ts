import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { suite, test } from 'node:test';
import { decoding, inwardCodec, packed } from '../../../src/host/codecs.ts';
import { feed } from '../../../src/host/feed.ts';
import { CommandError } from '../../../src/host/host.ts';
import { LocalHost } from '../../../src/host/local-host.ts';

/** More than pipes and sockets hold. */
const CHUNKS = 64;
const CHUNK = randomBytes(65_536);

for (const programs of [['gzip'], []]) {
  suite(`a command that is fed by ${programs.join() || 'no program that decodes'}`, () => {
    /** Runs it, and tells whether the source came to its end. */
    const fed = async (script: string) => {
      await using host = new LocalHost();
      let isRead = false;
      const source = async function* () {
        for (let i = 0; i < CHUNKS; i++) yield CHUNK;
        isRead = true;
      };
      const codec = inwardCodec({ clients: [], programs: new Set(programs), cores: 1 });
      const command = decoding({ argv: ['sh', '-c', script, 'sh', "it's"] }, codec);
      const exit = await feed(host, command, packed(source(), codec)).then(
        () => undefined,
        (error: unknown) => {
          assert.ok(error instanceof CommandError, String(error));
          return error.exit;
        },
      );
      return { isRead, exit };
    };

    test('gets the bytes as they were, and its arguments', async () => {
      const script = `[ "$1" = "it's" ] && [ "$(wc -c)" -eq ${CHUNKS * CHUNK.length} ]`;
      assert.deepEqual(await fed(script), { isRead: true, exit: undefined });
    });

    test('reads none of them and ends well: the source comes to its end all the same', async () => {
      assert.deepEqual(await fed(':'), { isRead: true, exit: undefined });
    });

    test('fails before it has read them: its own exit code is told', async () => {
      const { exit } = await fed('echo why >&2; exit 7');
      assert.deepEqual([exit?.code, exit?.signal], [7, undefined]);
      assert.match(exit?.stderr ?? '', /^why$/m);
    });

    test('is ended by a signal, which is told', async () => {
      const { exit } = await fed('echo last >&2; kill -s KILL $$');
      assert.deepEqual([exit?.code, exit?.signal], [undefined, 'KILL']);
      assert.match(exit?.stderr ?? '', /^last$/m);
    });
  });
}
