import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { text } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLine, quote } from '../../../src/host/shell.ts';
import { UserError } from '../../../src/util/errors.ts';

/** Those of the tests' machine: all of them where the sandbox has put its packages. */
const SHELLS = ['dash', 'bash', 'sh', 'fish', 'tcsh'].filter(
  (shell) => spawnSync(shell, ['-c', ':']).status === 0,
);

const NASTY = [
  '',
  ' ',
  '-n',
  '--',
  '~',
  '#',
  '*',
  '$HOME',
  '$(id)',
  '`id`',
  '"',
  "'",
  "'\\''",
  '\\',
  '\\\\',
  "\\'",
  'a\nb\n',
  '\r\n',
  '\t',
  '!!',
  '{a,b}',
  '=ls',
  'k=v',
  'a;b&c|d<e>f(g)',
  'naïve 数据 🐘',
  '\x01\x7f',
  '%self',
];

suite('quote', () => {
  test('leaves plain words as they are', () => {
    assert.equal(
      quote(['pg_dump', '-Fc', '/var/lib/odoo', 'a@b:c', 'x,y+z']),
      'pg_dump -Fc /var/lib/odoo a@b:c x,y+z',
    );
  });

  test('puts backslashes and single quotes outside of the quotes', () => {
    assert.equal(quote(["it's"]), "'it'\\''s'");
    assert.equal(quote(['a\\b']), "'a'\\\\'b'");
    assert.equal(quote(['']), "''");
  });

  test('refuses what no argument can hold', () => {
    assert.throws(() => quote(['a\0b']), TypeError);
  });

  for (const shell of SHELLS.filter((each) => each !== 'tcsh')) {
    test(`${shell} reads back every argument`, () => {
      const out = execFileSync(shell, ['-c', quote(['printf', '%s\\0', ...NASTY])], { encoding: 'utf8' });
      assert.deepEqual(out.split('\0').slice(0, -1), NASTY);
    });
  }
});

suite('commandLine', () => {
  const cases = [
    [{ argv: ['id', '-u'] }, 'exec id -u'],
    [{ argv: ['id'], as: 'odoo' }, 'cd /; exec sudo -n -H -u odoo -- id'],
    [{ argv: ['id'], as: 'odoo' }, 'cd /; exec runuser -u odoo -- env -u HOME id', 'root'],
    [{ argv: ['id'], env: { PGHOST: '/run/pg', A: 'b c' } }, "exec env 'PGHOST=/run/pg' 'A=b c' id"],
  ] as const;
  for (const [command, line, login = 'deploy'] of cases) {
    test(line, () => assert.deepEqual(commandLine(command, login), { line, preamble: '' }));
  }

  for (const shell of SHELLS) {
    for (const arguments_ of [NASTY, ...['a\nb', '!!', 'naïve'].map((each) => [each])]) {
      test(`${shell} gives the command ${JSON.stringify(arguments_).slice(0, 40)}`, () => {
        const { line } = commandLine({ argv: ['printf', '%s\\0', ...arguments_] }, 'deploy');
        const out = execFileSync(shell, ['-c', line], { encoding: 'utf8' });
        assert.deepEqual(out.split('\0').slice(0, -1), arguments_);
      });
    }
  }

  test('keeps secrets out of the line', () => {
    const secretEnv = { PGPASSWORD: 's3cret', TOKEN: ' t ' };
    const { line, preamble } = commandLine({ argv: ['psql'], secretEnv }, 'deploy');
    assert.doesNotMatch(line, /s3cret/);
    assert.equal(preamble, 's3cret\n t \n');
  });

  test('refuses a secret with a line break', () => {
    const secret = { argv: ['psql'], secretEnv: { PGPASSWORD: 's3cret\nx2' } };
    assert.throws(
      () => commandLine(secret, 'deploy'),
      (error) => error instanceof UserError && !/s3cret|x2/.test(error.message + error.hint),
    );
  });

  test('refuses a name that no environment variable has', () => {
    assert.throws(() => commandLine({ argv: ['id'], env: { 'A;B': '' } }, 'deploy'), TypeError);
    assert.throws(() => commandLine({ argv: ['id'], secretEnv: { 'A B': '' } }, 'deploy'), TypeError);
  });
});

/** Runs a line as sshd does: by the login shell, in a session and process group of its own. */
function login(shell: string, line: string): ChildProcess {
  // Not the start files of whoever runs the tests: a bash that believes sshd started it reads them.
  const env = { ...process.env, HOME: '/nonexistent' };
  return spawn(shell, ['-c', line], { detached: true, stdio: ['pipe', 'pipe', 'pipe'], env });
}

const mayBecomeNobody = spawnSync('sudo', ['-n', '-u', 'nobody', 'true']).status === 0;
/** The login account, and the account that it becomes, as far as these tests may. */
const ways: readonly (readonly [login: string, as?: string])[] = [
  ['deploy'],
  ...(mayBecomeNobody ? [['deploy', 'nobody'] as const] : []),
  ...(process.getuid?.() === 0 ? [['root', 'nobody'] as const] : []),
];

for (const shell of SHELLS) {
  for (const [user, as] of ways.filter((_, index) => index === 0 || !/fish|tcsh/.test(shell))) {
    suite(`commands by ${shell} of ${user}${as ? ` as ${as}` : ''}`, () => {
      const byRunuser = as !== undefined && user === 'root';
      const endedBy = (signal: 'SIGTERM' | 'SIGKILL') =>
        byRunuser ? [128 + constants.signals[signal], null] : [null, signal];

      test('secrets arrive byte for byte, then the rest of standard input', async () => {
        const value = ' \\t$x\'"`\\ ü ';
        const { line, preamble } = commandLine(
          {
            argv: ['sh', '-c', 'printf "%s|%s|" "$SECRET" "$SHOWN"; cat'],
            secretEnv: { SECRET: value },
            env: { SHOWN: 'a b' },
            as,
          },
          user,
        );
        const child = login(shell, line);
        child.stdin?.end(`${preamble}rest\nof it`);
        assert.equal(await output(child), `${value}|a b|rest\nof it`);
      });

      test('nothing runs when the secret never came', async () => {
        const { line } = commandLine({ argv: ['echo', 'ran'], secretEnv: { SECRET: 'x' }, as }, user);
        const child = login(shell, line);
        child.stdin?.end();
        assert.equal(await output(child), '');
      });

      for (const guarded of [false, true]) {
        for (const [script, ended] of [
          ['exit 0', [0, null]],
          ['exit 3', [3, null]],
          ['exit 143', [143, null]],
          ['kill -s TERM $$', endedBy('SIGTERM')],
          ['kill -s KILL $$', endedBy('SIGKILL')],
        ] as const) {
          test(`${guarded ? 'guarded ' : ''}${script}`, async () => {
            const child = login(shell, commandLine({ argv: ['sh', '-c', script], guarded, as }, user).line);
            assert.deepEqual(await once(child, 'close'), [...ended]);
            child.stdin?.destroy();
            await nothingLeft(child);
          });
        }
      }

      test('a guarded command and its children end with standard input', async () => {
        const script = 'sleep 600 & sleep 601 | sleep 602 & echo started; wait';
        const { line } = commandLine({ argv: ['sh', '-c', script], guarded: true, as }, user);
        const child = login(shell, line);
        const closed = once(child, 'close');
        await once(child.stdout ?? child, 'data');
        assert.ok(groupOf(child).length >= 5, 'the command, three sleeps and the watcher');
        child.stdin?.end();
        assert.deepEqual(await closed, endedBy('SIGTERM'));
        await nothingLeft(child);
      });

      test('a guarded command reads nothing, and takes its secret', async () => {
        const { line, preamble } = commandLine(
          {
            argv: ['sh', '-c', 'cat; printf "%s" "$SECRET"'],
            secretEnv: { SECRET: 'x y' },
            guarded: true,
            as,
          },
          user,
        );
        const child = login(shell, line);
        child.stdin?.write(preamble);
        assert.equal(await output(child), 'x y');
        child.stdin?.destroy();
        await nothingLeft(child);
      });
    });
  }
}

async function output(child: ChildProcess): Promise<string> {
  const closed = once(child, 'close');
  child.stdin?.on('error', () => {}); // a command need not read it
  const out = child.stdout ? await text(child.stdout) : '';
  await closed;
  return out;
}

async function nothingLeft(child: ChildProcess): Promise<void> {
  for (let tries = 0; groupOf(child).length > 0; tries++) {
    assert.ok(tries < 200, `still there: ${groupOf(child).join('; ')}`);
    await sleep(25);
  }
}

/** The live processes of the child's session (proc(5)): it leads it, and sudo may make process groups in it. */
function groupOf(child: ChildProcess): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const [state, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return state !== 'Z' && Number(session) === child.pid ? [stat] : [];
      } catch {
        return []; // ended meanwhile
      }
    });
}
