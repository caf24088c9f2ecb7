import ssh2, { type BaseAgent, type ParsedKey, type SigningRequestOptions } from 'ssh2';
import { UserError } from '../../util/errors.ts';
import { type Hop, labelOf } from './errors.ts';
import type { LoginAnswers } from './ssh2-internals.ts';

/** What to log in with. */
export type Login =
  | { readonly kind: 'key'; readonly key: ParsedKey }
  /** The path of the agent's socket. */
  | { readonly kind: 'agent'; readonly socket: string };

type Method =
  | { readonly type: 'publickey'; readonly username: string; readonly key: ParsedKey }
  | { readonly type: 'agent'; readonly username: string; readonly agent: BaseAgent };

/** How to log in to one machine, for ssh2, and what has been found out about it. */
export interface LoginMethods {
  /** The first one signs with rsa-sha2-256 where the key is RSA. */
  readonly first: Method;
  /** RSA keys once more, for rsa-sha2-512: a server may take only one of the two, and not say so. */
  readonly again: Method | false;
  readonly byAgent: boolean;
  /** The keys that there are, as far as they are known: those of an agent once that was asked. */
  keys(): readonly Pick<ParsedKey, 'type'>[];
}

export function loginMethods(login: Login, username: string): LoginMethods {
  if (login.kind === 'key') {
    const method = { type: 'publickey', username, key: withoutSha1(login.key) } as const;
    const again = login.key.type === 'ssh-rsa' && method;
    return { first: method, again, byAgent: false, keys: () => [login.key] };
  }
  const [agent, again] = [new ListedAgent(login.socket), new ListedAgent(login.socket, 'ssh-rsa')];
  return {
    first: { type: 'agent', username, agent },
    again: { type: 'agent', username, agent: again },
    byAgent: true,
    keys: () => agent.keys,
  };
}

/** A signature of RSA is made with SHA-1 unless another hash is named. */
const isSha1 = (type: string, hash: string | undefined): boolean =>
  type === 'ssh-dss' || (type === 'ssh-rsa' && (hash === undefined || hash === 'sha1'));

const sha1Error = () => new Error('the host requires SHA-1 signatures');

function withoutSha1(key: ParsedKey): ParsedKey {
  const sign = (data: Buffer, hash?: string) => (isSha1(key.type, hash) ? sha1Error() : key.sign(data, hash));
  return Object.create(key, { sign: { value: sign } }) as ParsedKey;
}

/** An agent whose keys are known afterwards. */
export class ListedAgent extends ssh2.BaseAgent<ParsedKey> {
  keys: readonly ParsedKey[] = [];
  readonly #agent: BaseAgent;
  readonly #type: string | undefined;

  /** @param type of the keys to use; default: all */
  constructor(socket: string, type?: string) {
    super();
    this.#agent = ssh2.createAgent(socket);
    this.#type = type;
  }

  getIdentities(done: (error?: Error | null, keys?: ParsedKey[]) => void): void {
    this.#agent.getIdentities((error, found) => {
      if (error) return done(error);
      const keys = (found ?? []).map((each) => ssh2.utils.parseKey(each as ParsedKey));
      const wanted = (key: ParsedKey) => this.#type === undefined || key.type === this.#type;
      this.keys = keys.filter((key): key is ParsedKey => !(key instanceof Error) && wanted(key));
      done(undefined, [...this.keys]);
    });
  }

  sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | ((error?: Error | null, signature?: Buffer) => void),
    done?: (error?: Error | null, signature?: Buffer) => void,
  ): void {
    if (typeof options === 'function') options(sha1Error());
    else if (isSha1(key.type, options.hash)) done?.(sha1Error());
    else this.#agent.sign(key, data, options, done);
  }
}

/** How a login ended. */
interface LoginEnd {
  readonly answers: LoginAnswers;
  /** The server ended the connection. */
  readonly cut: boolean;
}

/** What a refused login comes from, as far as the server's answers show it. */
export function loginError(
  cause: unknown,
  hop: Hop,
  login: Pick<LoginMethods, 'byAgent' | 'keys'>,
  { answers, cut }: LoginEnd,
): UserError {
  const label = labelOf(hop);
  const { byAgent } = login;
  const keys = login.keys();
  const error = (message: string, hint: string) => new UserError(message, hint, { cause });
  if (byAgent && keys.length === 0) {
    return error(
      `The SSH agent holds no key to log in to ${label} with`,
      'Add one that is not bound to a device (`ssh-add -l` lists them): ed25519, ECDSA or RSA; or give ssh-key.',
    );
  }
  if (answers.partial) {
    const others = answers.methods.join(', ');
    return error(
      `The host took the key of ${label}, and asks for more: ${others === 'publickey' ? 'a second key' : others}`,
      'Nobody can answer here. Let this account log in with one key only: in its sshd_config, ' +
        `\`Match User ${hop.user}\` with \`AuthenticationMethods publickey\`` +
        (others === 'publickey' ? '; or give both keys by an SSH agent.' : '.'),
    );
  }
  if (answers.refusals > 0 && answers.methods.length > 0 && !answers.methods.includes('publickey')) {
    return error(
      `The host allows no login by key as ${label}: it allows ${answers.methods.join(', ')}`,
      'Its sshd_config has to have `PubkeyAuthentication yes`, and publickey in AuthenticationMethods.',
    );
  }
  const { signatures } = answers;
  const rsaOnly = keys.every(({ type }) => type === 'ssh-rsa');
  if (rsaOnly && signatures !== undefined && !signatures.some((name) => name.startsWith('rsa-sha2-'))) {
    return error(
      `The host takes RSA keys with SHA-1 signatures only, or none, as ${label}: it offers ${signatures.join(', ')}`,
      'Use an ed25519 key (`ssh-keygen -t ed25519`), or let its sshd take rsa-sha2-256 (PubkeyAcceptedAlgorithms; ' +
        'OpenSSH 7.2 and newer).',
    );
  }
  if (byAgent && cut && answers.refusals + 1 < keys.length) {
    return error(
      `The host ended the login as ${label} after ${answers.refusals + 1} of the agent’s ${keys.length} keys`,
      'Leave only the right key in the agent (`ssh-add -D`, then `ssh-add KEY`), give it in ssh-key, or raise MaxAuthTries of its sshd.',
    );
  }
  const old = rsaOnly
    ? ' RSA keys sign with SHA-2 only: for an sshd older than OpenSSH 7.2, use an ed25519 key.'
    : '';
  return error(
    `The host refused the ${byAgent && keys.length > 1 ? `${keys.length} keys` : 'key'} of ${label}`,
    `Check ssh-key and ssh-user: the public half of the key belongs into ~${hop.user}/.ssh/authorized_keys on ${hop.host}.` +
      ` The host’s own log says why it refused (\`journalctl -u ssh\`).${old}`,
  );
}
