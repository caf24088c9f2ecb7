import { messageOf, UserError } from '../../util/errors.ts';
import { algorithmMismatch, type Offer } from './algorithms.ts';

/** A machine on the way to the host, or the host itself. */
export interface Hop {
  readonly user: string;
  readonly host: string;
  readonly port: number;
}

/** `deploy@203.0.113.5:22` */
export function labelOf({ user, host, port }: Hop): string {
  return `${user}@${host}:${port}`;
}

/** A failure to connect that may pass: worth another try. */
export class PassingError extends UserError {}

/** A connection that worked, and is gone. */
export class LostConnectionError extends UserError {}

/** Nothing but what may be gone a few seconds later. Never a login or a host key. */
const PASSING: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  ETIMEDOUT: 'no answer',
  EAI_AGAIN: 'the name server did not answer',
};

const REACH = 'Check ssh-host and ssh-port, that sshd runs there, and that a firewall lets this runner in.';

/** What went wrong while connecting to a hop, for people. */
export function connectError(error: unknown, hop: Hop, previous: Hop | undefined): UserError {
  if (error instanceof UserError) return error;
  const { code, level, reason } = error as { code?: unknown; level?: string; reason?: unknown };
  const from = previous ? ` from the jump host ${labelOf(previous)}` : '';
  const what = `Could not connect to ${labelOf(hop)}${from}`;
  const cause = { cause: error };

  if (typeof code === 'string' && PASSING[code]) {
    return new PassingError(`${what}: ${PASSING[code]}`, REACH, cause);
  }
  if (code === 'ENOTFOUND') {
    return new UserError(
      `${what}: there is no host of that name`,
      'Check the spelling of ssh-host (or ssh-jump).',
      cause,
    );
  }
  if (level === 'agent') {
    return new UserError(
      `The SSH agent cannot be used: ${messageOf(error)}`,
      'Check that the agent of SSH_AUTH_SOCK runs in this job and holds a key (`ssh-add -l`), or give ssh-key.',
      cause,
    );
  }
  // RFC 4254, section 5.1: 1 is administratively prohibited, 2 connect failed.
  if (reason === 1) {
    return new UserError(
      `${what}: the jump host does not allow it`,
      'Its sshd needs AllowTcpForwarding (and PermitOpen, where that is set) for this account.',
      cause,
    );
  }
  if (reason === 2) return new PassingError(`${what}: ${messageOf(error)}`, REACH, cause);
  if (level === 'handshake') {
    return new UserError(
      `${what}: ${messageOf(error)}`,
      'Look into the host’s own log (`journalctl -u ssh`), and at its Ciphers, KexAlgorithms and HostKeyAlgorithms.',
      cause,
    );
  }
  if (/lost before handshake/.test(messageOf(error))) {
    return new PassingError(
      `${what}: it closed the connection before SSH began`,
      'Either this is no SSH port, or the host turns this runner away (MaxStartups, fail2ban, a firewall).',
      cause,
    );
  }
  return new UserError(`${what}: ${messageOf(error)}`, REACH, cause);
}

/** The error for a server whose algorithms are too old; undefined where the connection failed for another reason. */
export function mismatchError(hop: Hop, offer: Offer | undefined): UserError | undefined {
  const found = offer && algorithmMismatch(offer);
  return found && new UserError(`Could not connect to ${labelOf(hop)}: ${found.what}`, found.hint);
}

export function timedOut(hop: Hop, ms: number): UserError {
  return new PassingError(`Could not connect to ${labelOf(hop)}: no answer within ${ms / 1000} s`, REACH);
}

export function lostError(hop: Hop, cause: unknown): UserError {
  return new LostConnectionError(
    `Connection to ${labelOf(hop)} was lost: ${messageOf(cause)}`,
    'Nothing was finished. Run it again; if it happens again, check the network in between and the host’s sshd log.',
    { cause },
  );
}
