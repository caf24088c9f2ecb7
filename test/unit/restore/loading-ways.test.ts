import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { LocalHost } from '../../../src/host/local-host.ts';
import { possibleWays, wayWords } from '../../../src/restore/loading-ways.ts';

const list = '215; 1259 16386 TABLE public a odoo\n4300; 0 16386 TABLE DATA public a odoo\n';
const [known, huge, unknown] = [
  { list, size: 1000, superusers: new Set<string>() },
  { list, size: 2 ** 60, superusers: new Set<string>() },
  { list, superusers: new Set<string>() },
];
const arriving = 'rows as they come from the archive, then indexes and constraints by 2 sessions';
const file = (sessions: number) => `${sessions} sessions at once, from a temporary file in /var/tmp`;
const stream = 'one session, straight from the archive';

suite('what a plan says of how a dump is loaded', () => {
  for (const [what, jobs, toc, dumpPlace, expected] of [
    ['two sessions', 2, known, '/var/tmp', arriving],
    ['two sessions, no room for the dump', 2, known, undefined, arriving],
    ['two sessions, no room for the table of contents', 2, huge, '/var/tmp', file(2)],
    ['two sessions, no room for anything', 2, huge, undefined, stream],
    ['three sessions', 3, known, '/var/tmp', file(3)],
    ['three sessions, no room for the dump', 3, known, undefined, arriving.replace('2', '3')],
    ['three sessions, no room for anything', 3, huge, undefined, stream],
    ['an unknown format', 2, unknown, '/var/tmp', file(2)],
    ['an unknown format, no room for the dump', 2, unknown, undefined, stream],
    ['a table of contents that could not be read, no room', 3, undefined, undefined, stream],
  ] as const) {
    test(what, async () => {
      await using host = new LocalHost();
      const from = { jobs, dumpPlace };
      const ways = await possibleWays({ host, account: undefined }, { kind: 'custom' }, from, toc);
      assert.equal(wayWords(ways, from), expected);
    });
  }

  test('a dump in directory format has to lie on the host', async () => {
    await using host = new LocalHost();
    const login = { host, account: undefined };
    const ways = (dumpPlace: string | undefined) =>
      possibleWays(login, { kind: 'directory' }, { jobs: 1, dumpPlace }, known);
    assert.deepEqual([await ways('/tmp'), await ways(undefined)], [['file'], []]);
  });
});
