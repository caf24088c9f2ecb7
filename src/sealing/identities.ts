import { createRequire } from 'node:module';
import { assertHeader, type Header } from './header.ts';
import { recipientText, unwrap, x25519Identity } from './x25519.ts';

const require = createRequire(import.meta.url);

/** Private keys that open what is sealed for one of them. */
export interface Identities {
  /** The recipients that they are the other half of; without those whose halves only the package knows. */
  readonly recipients: readonly string[];
  /** Whether `recipients` are all of them. */
  readonly areKnown: boolean;
  /** @returns the file key; undefined where none of them is a recipient @throws Error when the header was changed */
  fileKeyOf(header: Header): Promise<Buffer | undefined>;
}

/**
 * Reads the text of an identity file, as `age-keygen` writes it: one identity a line, and comments.
 *
 * @throws Error that names the line which cannot be read, and never repeats it
 */
export function readIdentities(text: string): Identities {
  const openers = text.split('\n').flatMap((raw, index) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return [];
    try {
      return [openerOf(line)];
    } catch (error) {
      throw new Error(`line ${index + 1} is no identity of age: ${(error as Error).message}`);
    }
  });
  if (openers.length === 0) throw new Error('it holds no identity: its line begins with AGE-SECRET-KEY-1');
  const recipients = openers.flatMap(({ recipient }) => recipient ?? []);
  return {
    recipients,
    areKnown: recipients.length === openers.length,
    async fileKeyOf(header) {
      for (const { open } of openers) {
        const fileKey = await open(header);
        if (!fileKey) continue;
        assertHeader(header, fileKey);
        return fileKey;
      }
      return undefined;
    },
  };
}

interface Opener {
  /** `age1…`; undefined: it is not known. */
  readonly recipient?: string;
  open(header: Header): Buffer | undefined | Promise<Buffer | undefined>;
}

function openerOf(line: string): Opener {
  if (/^AGE-SECRET-KEY-1/i.test(line)) {
    const identity = x25519Identity(line);
    return { recipient: recipientText(identity.recipient), open: ({ stanzas }) => unwrap(stanzas, identity) };
  }
  if (!line.startsWith('AGE-SECRET-KEY-')) throw new Error('it does not begin with AGE-SECRET-KEY-');
  const { Decrypter } = require('age-encryption') as typeof import('age-encryption'); // loaded when it is used
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(line);
  } catch {
    throw new Error('a letter of it is missing or wrong'); // the package's own error may repeat it
  }
  const open = async ({ bytes }: Header) => {
    try {
      return Buffer.from(await decrypter.decryptHeader(bytes));
    } catch (error) {
      if (/no identity matched/.test((error as Error).message)) return undefined;
      throw new Error('its header was changed', { cause: error });
    }
  };
  return { open };
}
