import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isServerAway, SqlError } from '../../../src/postgres/sql-error.ts';

suite('what psql says of an error', () => {
  for (const [title, stderr, sqlState, shown] of [
    [
      'its code is read, and not shown',
      'psql:<stdin>:1: ERROR:  42P01: relation "x" does not exist\nLINE 1: TABLE x\n              ^\nLOCATION:  parserOpenTable, parse_relation.c:1452',
      '42P01',
      'psql:<stdin>:1: ERROR:  relation "x" does not exist\nLINE 1: TABLE x\n              ^',
    ],
    [
      'in French',
      'psql:<stdin>:3: ERREUR:  55P03: annulation de la requête\nEMPLACEMENT : ProcessInterrupts, postgres.c:3288',
      '55P03',
      'psql:<stdin>:3: ERREUR:  annulation de la requête',
    ],
    [
      'a warning is no error',
      'psql:<stdin>:1: WARNING:  01007: no privileges were granted\nLOCATION:  f, aclchk.c:1\npsql:<stdin>:2: ERROR:  42501: permission denied\nLOCATION:  g, aclchk.c:2',
      '42501',
      'psql:<stdin>:1: WARNING:  no privileges were granted\npsql:<stdin>:2: ERROR:  permission denied',
    ],
    [
      'without one: nobody was let in',
      'psql: error: connection to server on socket "/x" failed: FATAL:  role "x" does not exist',
      undefined,
      'psql: error: connection to server on socket "/x" failed: FATAL:  role "x" does not exist',
    ],
  ] as const) {
    test(title, () => {
      const error = new SqlError({ argv: ['psql'] }, { code: 3, signal: undefined, stderr });
      assert.equal(error.sqlState, sqlState);
      assert.equal(error.exit.stderr, shown);
      assert.equal(error.message, `psql ended with exit code 3: ${shown}`);
    });
  }
});

suite('whether the server is away', () => {
  for (const [stderr, code, isAway] of [
    ['psql: error: connection to server on socket "/x" failed: No such file or directory', 2, true],
    ['psql: error: connection to server failed: FATAL:  the database system is starting up', 2, true],
    ['psql:<stdin>:1: FATAL:  57P01: terminating connection due to administrator command', 2, true],
    ['psql:<stdin>:3: WARNING:  57P02: terminating connection because of crash\nserver closed', 3, true],
    ['psql:<stdin>:3: server closed the connection unexpectedly', 3, true],
    ['psql:<stdin>:3: ERROR:  42704: database "x" does not exist', 3, false],
    ['psql:<stdin>:3: ERROR:  53100: could not extend file: No space left on device', 3, false],
    ['sudo: a password is required', 1, false],
    ['sh: 1: psql: not found', 127, false],
  ] as const) {
    test(`${isAway ? 'away' : 'there'}: ${stderr}`, () => {
      assert.equal(
        isServerAway(new SqlError({ argv: ['psql'] }, { code, signal: undefined, stderr })),
        isAway,
      );
    });
  }
});
