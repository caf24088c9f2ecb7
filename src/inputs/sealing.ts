import { readFileSync } from 'node:fs';
import { type Identities, readIdentities } from '../sealing/identities.ts';
import { assertRecipient } from '../sealing/recipients.ts';
import { messageOf } from '../util/errors.ts';
import { type Fields, Refusal } from './fields.ts';

/** Whom a backup is sealed for; undefined: nobody. */
export const parseRecipients = (fields: Fields): readonly string[] | undefined =>
  fields.optional('encrypt-to', recipientList);

/** One or more, or the path of a file with one in each line, and comments, as `age -R` takes it. */
function recipientList(value: string): readonly string[] {
  const isText = /^(?:age1|ssh-|#)|\s/.test(value);
  const lines = (isText ? value : fileOf(value)).split(/\r?\n/).filter((line) => !/^\s*#/.test(line));
  const isSsh = lines.some((line) => /^\s*(?:ssh|ecdsa)-/.test(line));
  if (isSsh) throw new Refusal('holds a key of SSH: make a key of age, with age-keygen');
  const names = lines.flatMap((line) => line.split(/[\s,]+/)).filter((name) => name !== '');
  if (names.length === 0) throw new Refusal('names no recipient: age1…');
  for (const name of names) {
    if (/^AGE-(?:SECRET-KEY|PLUGIN)-/i.test(name)) {
      throw new Refusal('holds an identity, which is secret: give its recipient, as age-keygen -y prints it');
    }
    try {
      assertRecipient(name);
    } catch (error) {
      throw new Refusal(`'${name.slice(0, 80)}' is no recipient of age: ${messageOf(error)}`);
    }
  }
  return [...new Set(names)];
}

/**
 * What opens a sealed backup; undefined: nothing does. An error never repeats it, and what a file holds is told to the
 * platform, which masks it.
 */
export const parseIdentities = (fields: Fields): Identities | undefined =>
  fields.optional('decrypt-with', (value) => {
    const text = /^AGE-|^#|\n/i.test(value) ? value : fileOf(value);
    for (const [secret] of text.matchAll(/\bAGE-[A-Z0-9-]+/gi)) fields.secret(secret);
    try {
      return readIdentities(text);
    } catch (error) {
      throw new Refusal(`cannot be read: ${messageOf(error)}`);
    }
  });

/** A key that reads has no place in a job that does not need it. */
export function refuseIdentities(fields: Fields, command: string): void {
  if (!fields.given('decrypt-with')) return;
  fields.problem(
    `decrypt-with: ${command} needs no key that reads, and does not take one: give it to rollback, restore, rehearse, verify and fetch alone`,
  );
}

/** The value may be a mangled secret: an error must not repeat it. */
function fileOf(value: string): string {
  try {
    return readFileSync(value, 'utf8');
  } catch (error) {
    const why = messageOf(error).replaceAll(value, '…');
    throw new Refusal(`is neither a key of age nor a file that can be read (${why})`);
  }
}
