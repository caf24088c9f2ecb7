import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutProgress } from '../../../src/postgres/pg-restore-errors.ts';

const ERROR = `pg_restore: error: could not execute query: ERROR:  relation "public.t" does not exist
Command was: CREATE INDEX i ON public.t USING btree (a);`;
const DIED = 'pg_restore: error: a worker process died unexpectedly';

test('what several sessions of pg_restore say is no more than the error', () => {
  const cases: [what: string, said: string, shown: string][] = [
    ['one session', `pg_restore: creating TABLE "public.t"\n${ERROR}`, ERROR],
    [
      'what its line was cut to',
      `ON STRAINT t_pkey\npg_restore: creating INDEX\n${ERROR}\n${DIED}`,
      `${ERROR}\n${DIED}`,
    ],
    [
      'lines of two in one',
      `pg_restore:pg_restore: finished item 3610 CONSTRAINT t t_pkey\n while PROCESSING TOC:\n${ERROR}`,
      ERROR,
    ],
    ['an error without its beginning', `a, b) FROM stdin;\n${DIED}`, `a, b) FROM stdin;\n${DIED}`],
    ['no error of its own', 'sudo: a password is required', 'sudo: a password is required'],
  ];
  for (const [what, said, shown] of cases) assert.equal(withoutProgress(said), shown, what);
});
