import type { OdooAccess } from '../odoo/access.ts';
import type { RestoreTest } from '../verify/restore/restore-test.ts';
import type { PostgresBinaries } from '../verify/restore/servers/binaries.ts';
import type { GivenServer } from '../verify/restore/servers/given.ts';
import { type Fields, Refusal, text } from './fields.ts';
import { complete, type Possibly } from './installation.ts';

/**
 * Where a restore is tested.
 *
 * @param installation is asked for the host, if that is where
 * @returns undefined when something is missing or refused
 */
export function parseRestoreTest(
  fields: Fields,
  installation: () => Possibly<OdooAccess>,
): RestoreTest | undefined {
  return testAt(fields.required('restore-test', placeOrServer), fields, installation);
}

/** Where Odoo is started on what was restored: on its host, whether anybody says so or not. */
export function parseBootTest(
  fields: Fields,
  installation: () => Possibly<OdooAccess>,
): Extract<RestoreTest, { readonly kind: 'host' }> | undefined {
  const place = fields.isChosen('restore-test') ? fields.optional('restore-test', placeOrServer) : 'host';
  if (place !== undefined && place !== 'host') {
    return void fields.problem(
      'restore-test: only a host of Odoo has an Odoo that verify: boot can start: set restore-test to host, or verify to restore',
    );
  }
  const test = testAt(place, fields, installation);
  return test?.kind === 'host' ? test : undefined;
}

function testAt(
  place: ReturnType<typeof placeOrServer> | undefined,
  fields: Fields,
  installation: () => Possibly<OdooAccess>,
): RestoreTest | undefined {
  const adminUser = fields.optional('db-admin-user', text);
  if (place === undefined) return undefined;
  if (typeof place === 'object') return { kind: 'server', ...place };
  if (place === 'runner') return { kind: 'runner' };
  const host = installation();
  return complete(host) ? { kind: 'host', adminUser, ...host } : undefined;
}

/** The value is not repeated: it may hold a password. */
function placeOrServer(value: string): 'runner' | 'host' | GivenServer {
  if (value === 'runner' || value === 'host') return value;
  const url = /^postgres(ql)?:\/\//.test(value) ? URL.parse(value) : null;
  if (!url) {
    throw new Refusal(
      'is neither runner, host nor a URL of the form postgres://user:password@host:port/database',
    );
  }
  if (url.username === '' || url.hostname === '') throw new Refusal('is a URL without a user or a host');
  const others = [...url.searchParams.keys()].filter((name) => name !== 'sslmode');
  if (others.length > 0)
    throw new Refusal(`is a URL with the parameter ${others[0]}: it takes sslmode alone`);
  const settings = {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? undefined : Number(url.port),
    user: decoded(url.username),
    password: url.password === '' ? undefined : decoded(url.password),
    sslmode: url.searchParams.get('sslmode') ?? undefined,
  };
  return { settings, database: decoded(url.pathname.slice(1)) || 'postgres' };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Refusal('is a URL with a % in it that is no escape: a percent sign is written %25');
  }
}

/** A URL that ends in its checksum, as pip has it. */
export function urlWithChecksum(value: string): PostgresBinaries {
  const [, url = '', sha256] = /^(https?:\/\/[^#]+)#sha256=([0-9a-fA-F]{64})$/.exec(value) ?? [];
  if (sha256 !== undefined && URL.parse(url)) return { url, sha256: sha256.toLowerCase() };
  throw new Refusal(
    'is no http or https URL with the checksum of its archive at its end: https://…/postgresql-16.tar.gz#sha256=<64 hexadecimal digits>',
  );
}
