import { Transform } from 'node:stream';
import { UserError } from '../errors.ts';
import { SqlScanner } from './sql-scanner.ts';

const COMPLETE = /^-- PostgreSQL database dump complete\r?$/m;
/** After that line come an empty comment and, since PostgreSQL 15.14, `\unrestrict` with a key of 63 characters. */
const TAIL_BYTES = 512;

/**
 * Passes a plain dump on its way to psql through, unchanged, as long as it is SQL and data only. psql is a programming
 * language of its own: `\!` runs a shell command, `\connect` leaves for another database. No byte goes on before it is
 * known to be harmless. psql has to run with ON_ERROR_STOP=1: a COPY that fails would else make commands of its data.
 *
 * Fails with a UserError at the first psql command (`\restrict` and `\unrestrict` apart, which only take rights away),
 * at a COPY other than pg_dump's own `COPY … FROM stdin;`, at what psql versions or settings read in different ways, and
 * at the end when pg_dump's last words are missing.
 *
 * @param name of the dump, for messages
 */
export function plainDumpFilter(name: string): Transform {
  const scanner = new SqlScanner(name);
  /** Read, not yet understood: the beginning of a word whose end has not come. */
  let held: Buffer = Buffer.alloc(0);
  let tail: Buffer = held;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        const bytes = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
        const known = scanner.scan(bytes);
        held = Buffer.from(bytes.subarray(known));
        const passed = bytes.subarray(0, known);
        tail = Buffer.from(Buffer.concat([tail, passed.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES));
        done(null, passed);
      } catch (error) {
        done(error as Error);
      }
    },
    flush(done) {
      try {
        // A line break ends every word.
        const known = scanner.scan(Buffer.concat([held, Buffer.from('\n')]));
        const end = Buffer.concat([tail, held]).toString('latin1');
        if (known !== held.length + 1 || !scanner.atRest || !COMPLETE.test(end)) throw incomplete(name);
        done(null, held);
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

function incomplete(name: string): UserError {
  return new UserError(
    `${name} is not complete: pg_dump ends a plain dump with "PostgreSQL database dump complete", and this one does not.`,
    'The backup was cut short when it was made. Choose another backup.',
  );
}
