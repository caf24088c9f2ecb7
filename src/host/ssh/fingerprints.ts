import { InputError } from '../../util/errors.ts';
import { nameOf } from './known-hosts.ts';

/** A fingerprint to trust, and the machine whose key it is of. */
export interface Fingerprint {
  /** The name as known_hosts has it, `host` or `[host]:port`; undefined: the host itself, where no jump leads to it. */
  readonly name: string | undefined;
  /** `SHA256:` and base64 without padding. */
  readonly value: string;
}

/** `host`, `host:port`, `[host]:port`, or an IPv6 address with or without brackets. */
const NAME = /^(?:\[([\w.:%-]+)\]|([\w.-]+)|([\w.%-]*:[\w.%-]*:[\w.:%-]*))(?::(\d{1,5}))?$/;

/**
 * Reads `SHA256:…` and `host=SHA256:…`, separated by white space or commas.
 *
 * @throws InputError for anything else
 */
export function parseFingerprints(text: string): Fingerprint[] {
  return text
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .map(parseWord);
}

function parseWord(word: string): Fingerprint {
  const [, owner, digest] = /^(?:(.+)=)?SHA256:([A-Za-z0-9+/]{43})=?$/.exec(word) ?? [];
  if (digest === undefined) {
    throw new InputError(
      `ssh-fingerprint: ${word} is not a SHA256 fingerprint`,
      'It is the word that starts with "SHA256:" in what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints on the host.',
    );
  }
  const value = `SHA256:${digest}`;
  if (owner === undefined) return { name: undefined, value };
  const [, bracketed, plain, address, port = '22'] = NAME.exec(owner) ?? [];
  const host = bracketed ?? plain ?? address;
  if (host === undefined) {
    throw new InputError(
      `ssh-fingerprint: ${owner} is not the name of a host`,
      'Write host=SHA256:… or [host]:port=SHA256:…, with the host as ssh-host or ssh-jump has it, without a user.',
    );
  }
  return { name: nameOf(host, Number(port)), value };
}
