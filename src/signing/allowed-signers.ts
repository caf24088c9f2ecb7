import { isPrintable } from '../util/controls.ts';
import { InputError } from '../util/errors.ts';
import { sshPatterns } from './patterns.ts';
import { readPublicKey, type VerifyingKey } from './public-key.ts';

// "ALLOWED SIGNERS" of ssh-keygen(1).

/** One line: somebody whose signatures count. */
export interface AllowedSigner {
  /** The names that the line begins with, as it has them: `ci@example.com,*@deploy.example.com`. */
  readonly principals: string;
  readonly key: VerifyingKey;
  /** Whether it signs for a namespace. */
  readonly signsFor: (namespace: string) => boolean;
  readonly validAfter: Date | undefined;
  readonly validBefore: Date | undefined;
}

/** What a list of signers says of a key. */
export type SignerVerdict =
  | { readonly kind: 'allowed'; readonly principals: string }
  /** Why it does not count: `is not in the list`. */
  | { readonly kind: 'refused'; readonly why: string };

/**
 * Reads the lines of an allowed_signers file. A line that cannot be read is refused, for it may be the rest of one that
 * was cut; so is a list without any signer.
 *
 * @param input that gave the text, for messages
 * @throws InputError naming every line that cannot be read
 */
export function parseAllowedSigners(text: string, input: string): readonly AllowedSigner[] {
  const problems: string[] = [];
  const signers = text.split('\n').flatMap((raw, index) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return [];
    try {
      return [parseLine(line)];
    } catch (error) {
      problems.push(`${input}, line ${index + 1}: ${(error as Error).message}`);
      return [];
    }
  });
  if (problems.length > 0) throw new InputError(problems.join('\n'), HINT);
  if (signers.length > 0) return signers;
  throw new InputError(`${input}: names no signer, so that no backup would count`, HINT);
}

const HINT =
  'Each line is "NAME namespaces="odoo-backup" KEY-TYPE KEY", as ssh-keygen(1) has it under ALLOWED SIGNERS, with the public half of the key that signs.';

/**
 * Looks a key up, as `ssh-keygen -Y verify` does for any of the principals.
 *
 * @param times at which its line has to be valid
 */
export function whoSigned(
  signers: readonly AllowedSigner[],
  key: VerifyingKey,
  namespace: string,
  times: readonly Date[],
): SignerVerdict {
  let why = 'is not in the list';
  for (const { principals, validAfter, validBefore, ...line } of signers) {
    if (!line.key.blob.equals(key.blob)) continue;
    if (!line.signsFor(namespace)) why = `is not in the list for the namespace ${namespace}`;
    else if (validAfter && times.some((time) => time < validAfter)) why = 'was not valid yet';
    else if (validBefore && times.some((time) => time > validBefore)) why = 'was not valid any more';
    else return { kind: 'allowed', principals };
  }
  return { kind: 'refused', why };
}

function parseLine(line: string): AllowedSigner {
  if (!isPrintable(line.replaceAll('\t', ' '))) throw new Error('it holds a control character');
  const [, quotedNames, names, rest = ''] = /^(?:"([^"]+)"|([^\s"]+))\s+(\S.*)$/.exec(line) ?? [];
  const principals = quotedNames ?? names;
  if (principals === undefined) throw new Error('expected names, a key type and a key');
  const [options, words] = splitOptions(rest);
  const [type = '', base64 = ''] = words.split(/\s+/);
  return { principals, key: parseKey(type, base64), ...parseOptions(options) };
}

const KEY_TYPE = /^(?:ssh|ecdsa-sha2|sk-ssh|sk-ecdsa-sha2)-[\w@.-]+(?:\s|$)/;

/** The options, which end at the first space outside of quotation marks, and what follows them. */
function splitOptions(text: string): [options: string, rest: string] {
  if (KEY_TYPE.test(text)) return ['', text];
  const [all = '', options = ''] = /^((?:[^\s"]|"(?:[^"\\]|\\.)*")+)\s+/.exec(text) ?? [];
  if (all === '') throw new Error('expected options, a key type and a key');
  return [options, text.slice(all.length)];
}

function parseKey(type: string, base64: string): VerifyingKey {
  const blob = Buffer.from(base64, 'base64');
  const isWhole = /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && blob.toString('base64') === base64;
  if (!isWhole) throw new Error('its key is missing, damaged or cut');
  let key: VerifyingKey;
  try {
    key = readPublicKey(blob);
  } catch (error) {
    throw new Error(`its key cannot be used: ${(error as Error).message}`, { cause: error });
  }
  if (key.type !== type) throw new Error(`its key is not of type ${type}`);
  return key;
}

const OPTION = /^(?<name>[A-Za-z-]+)(?:="(?<value>(?:[^"\\]|\\.)*)")?(?<comma>,(?=.))?/;

function parseOptions(text: string): Pick<AllowedSigner, 'signsFor' | 'validAfter' | 'validBefore'> {
  const options = new Map<string, string>();
  for (let rest = text; rest !== ''; ) {
    const { name = '', value, comma } = OPTION.exec(rest)?.groups ?? {};
    const length = OPTION.exec(rest)?.[0].length ?? 0;
    if (length === 0 || (comma === undefined && length < rest.length))
      throw new Error('its options cannot be read');
    const option = name.toLowerCase();
    if (option === 'cert-authority')
      throw new Error('cert-authority is not supported: name the keys themselves');
    if (!/^(namespaces|valid-after|valid-before)$/.test(option))
      throw new Error(`its option ${name} is unknown`);
    if (value === undefined) throw new Error(`its option ${name} has no value in quotation marks`);
    if (options.has(option)) throw new Error(`its option ${name} is there twice`);
    options.set(option, value.replaceAll('\\"', '"'));
    rest = rest.slice(length);
  }
  const namespaces = options.get('namespaces');
  const [validAfter, validBefore] = [timeOf(options, 'valid-after'), timeOf(options, 'valid-before')];
  if (validAfter && validBefore && validBefore <= validAfter)
    throw new Error('valid-before is not after valid-after');
  return {
    signsFor: namespaces === undefined ? () => true : sshPatterns(namespaces),
    validAfter,
    validBefore,
  };
}

/** `20261231`, `202612312359` or `20261231235959`, in local time unless `Z` follows. */
function timeOf(options: ReadonlyMap<string, string>, name: string): Date | undefined {
  const text = options.get(name);
  if (text === undefined) return undefined;
  const parts = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z|UTC)?$/i.exec(text);
  const [, year, month, day, hour = '00', minute = '00', second = '00', zone = ''] = parts ?? [];
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  // A day that there is not becomes another one, or no time at all.
  const isDay = new Date(`${iso}Z`).toJSON()?.startsWith(iso) ?? false;
  if (!isDay) throw new Error(`its ${name} is no time such as 20261231 or 20261231235959Z`);
  return new Date(zone === '' ? iso : `${iso}Z`);
}
