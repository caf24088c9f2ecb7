import { dirname, join } from 'node:path/posix';
import { pgRestoreFor } from '../../backup-reader/dump-contents.ts';
import { readToc } from '../../backup-reader/dump-toc.ts';
import type { RestoreSource } from '../../backup-reader/open.ts';
import { dumpMajorOf } from '../../backup-reader/versions.ts';
import { CommandError } from '../../host/host.ts';
import { isMountPoint } from '../../host/mounts.ts';
import type { OwnedFolder } from '../../host/owned-folder.ts';
import { run } from '../../host/run.ts';
import { healthNow } from '../../odoo/health.ts';
import { findOdooProgram, type OdooProgram } from '../../odoo/program.ts';
import { compareFilestore, type Difference } from '../../odoo/staging.ts';
import { type AdminGrants, adminGrants, NO_GRANTS } from '../../postgres/admin-grants.ts';
import { missingLocales } from '../../postgres/create-database.ts';
import { listSessions } from '../../postgres/databases.ts';
import { trustedExtensions } from '../../postgres/extensions/allowlist.ts';
import { extensionProblems, mayMarkImmutable } from '../../postgres/extensions/create.ts';
import { withRestoreClient } from '../../postgres/load-errors.ts';
import type { LoadingWay } from '../../postgres/loading-way.ts';
import { lockProblem } from '../../postgres/lock.ts';
import { ownerLogin } from '../../postgres/owner-login.ts';
import { logicalSlots } from '../../postgres/replication-slots.ts';
import { missingRights, missingRoles } from '../../postgres/rights.ts';
import { strangersTo } from '../../postgres/role-members.ts';
import { ask } from '../../postgres/run-sql.ts';
import type { Postgres } from '../../postgres/server.ts';
import { MAINTENANCE_DATABASE, sql } from '../../postgres/sql.ts';
import type { DatabaseTraits } from '../../postgres/traits.ts';
import { inOrder } from '../../util/begun.ts';
import { type CodeFinding, codeUserProblem, findCodeDifference } from '../code.ts';
import { possibleWays } from '../loading-ways.ts';
import { findLosses, type Losses } from '../losses.ts';
import { findGivenSince, type GivenSince } from '../numbers.ts';
import type { Problem } from '../problem.ts';
import type { Request } from '../request.ts';
import { checkSpace, type Space } from '../space.ts';
import type { Target } from '../target.ts';
import { unloadable } from '../toc-checks.ts';
import { type Attempt, attemptInto } from './attempt.ts';
import type { Loading, PreflightFacts } from './facts.ts';
import { filestoreBytes } from './findings.ts';
import { databaseBytesOf, extensionsOf, ownerOf, traitsOf } from './new-database.ts';

/** The facts, with what no check looks at and a plan needs. */
export interface GatheredFacts extends PreflightFacts {
  readonly traits: DatabaseTraits;
  /** The login that loads the dump, with a pg_restore that reads it. */
  readonly loader: Postgres;
  readonly given: AdminGrants;
  readonly space: Space;
  readonly ways: readonly LoadingWay[];
  readonly databaseBytes: number;
  readonly difference: Difference | undefined;
  readonly neighbour: OwnedFolder | undefined;
  readonly stops: boolean;
  readonly answer: string | undefined;
  readonly program: OdooProgram | undefined;
  readonly losses: Losses | undefined;
  readonly code: CodeFinding | undefined;
  readonly givenSince: GivenSince | undefined;
}

/** Asks everything that checks and plan need to know, read only. What cannot be found out is a fact as well. */
export async function gatherFacts(
  source: RestoreSource,
  target: Target,
  request: Request,
): Promise<GatheredFacts> {
  // What could not be found out is told in this order, whatever is answered first.
  const failures = { services: [], login: [], loader: [], extensions: [], contents: [] } as Failures;
  const { current, postgres, admin, database, odooRole } = target;
  const { description } = source;
  const { inPlace } = request;
  // A rollback starts Odoo also where its database is gone; a new copy is nothing that Odoo has open.
  const stops = target.services !== undefined && (inPlace || current !== undefined);
  // Takes up to its limit, beside everything else.
  const losing = inPlace ? findLosses(source, target) : undefined;
  const { code } = request;
  const comparing =
    code && Promise.all([findCodeDifference(source, target, code), codeUserProblem(target, code)]);
  comparing?.catch(() => {}); // awaited below
  const numbering = request.keepSequences ? findGivenSince(source, target) : undefined;
  // What needs no other answer is asked first, and awaited last.
  const asked = Promise.all([
    current ? listSessions(admin, database) : [],
    servicesOf(target, attemptInto(failures.services)),
    stops ? answerOf(target) : undefined,
    request.neutralize ? programOf(target) : undefined,
    current ? logicalSlots(admin, database) : [],
    target.filestore?.exists && source.filestore ? isMountPoint(target.filestore) : false,
    ask(admin, MAINTENANCE_DATABASE, sql`SELECT pg_is_in_recovery()`),
    inPlace ? missingRoles(admin, description?.roles ?? []) : [],
    request.dryRun ? lockOf(target) : undefined, // a real run holds it by now
  ]);
  asked.catch(() => {}); // awaited below
  // Each of these begins once it has what it needs.
  const databaseBytes = databaseBytesOf(source, target);
  const owning = ownerOf(source, target, inPlace);
  const loggingIn = owning.then(async (owner) => {
    const found = await attemptInto(failures.login)(() => ownerLogin(postgres, owner, odooRole));
    return found ?? postgres;
  });
  const fitting = loggingIn.then((login) => loaderOf(source, target, login, attemptInto(failures.loader)));
  const neighbouring = neighbourOf(source, target, inPlace);
  const comparingFiles = neighbouring.then((neighbour) => differenceOf(source, target, neighbour));
  const describing = traitsOf(source, target);
  const [
    owner,
    login,
    loader,
    neighbour,
    difference,
    traits,
    extensions,
    given,
    contents,
    space,
    rights,
    locales,
  ] = await inOrder(
    owning,
    loggingIn,
    fitting,
    neighbouring,
    comparingFiles,
    describing,
    extensionsOf(source, target, fitting, attemptInto(failures.extensions)),
    loggingIn.then((by) => givenTo(target, by)),
    Promise.all([loggingIn, fitting]).then(([by, loads]) =>
      contentsOf(source, by, loads, attemptInto(failures.contents)),
    ),
    checkSpace(target, source.dump, databaseBytes, comparingFiles.then(filestoreBytes)),
    owning.then((by) => missingRights(admin, by, database)),
    describing.then((those) => missingLocales(admin, those)),
  );
  const needsUnaccent = extensions.some(({ name }) => name === 'unaccent');
  const [unmade, mayMarkUnaccent, trusted, ways] = await Promise.all([
    extensionProblems(login, admin, extensions, given.extensions),
    needsUnaccent ? mayMarkImmutable(login, admin) : true,
    admin.login === login.login || extensions.length === 0 ? new Set<string>() : trustedExtensions(admin),
    possibleWays(
      loader ?? postgres,
      source.dump,
      { jobs: target.jobs, dumpPlace: space.dumpPlace },
      contents?.toc,
    ),
  ]);
  const [codeFinding, codeProblem] = (await comparing) ?? [];
  const [sessions, services, answer, program, slots, isFilestoreMount, standby, roles, lock] = await asked;
  return {
    source,
    target,
    request,
    failures: Object.values(failures).flat(),
    owner,
    traits,
    extensions,
    login,
    isLoginSuperuser: login.isSuperuser,
    loader: loader ?? postgres,
    loading: contents && {
      ...contents,
      unloadable: unloadable(contents.toc, contents.rights, inPlace, extensions),
    },
    given,
    isStandby: standby[0] === 't',
    missingRights: rights,
    missingRoles: roles,
    missingLocales: locales,
    extensionProblems: unmade,
    mayMarkUnaccent,
    trusted,
    slots,
    sessions,
    lock,
    space,
    ways,
    databaseBytes,
    difference,
    neighbour,
    isFilestoreMount,
    services,
    stops,
    answer,
    program,
    hasProgram: program !== undefined,
    losses: await losing,
    code: codeFinding,
    givenSince: await numbering,
    codeUserProblem: codeProblem,
  };
}

type Failures = Readonly<Record<'services' | 'login' | 'loader' | 'extensions' | 'contents', Problem[]>>;

function loaderOf(
  source: RestoreSource,
  { installation }: Target,
  login: Postgres,
  attempt: Attempt,
): Promise<Postgres | undefined> {
  if (source.dump.kind === 'plain') return Promise.resolve(login);
  // What others have dumped says nothing of its pg_dump beside it.
  return attempt(async () => {
    const needed = dumpMajorOf(source) ?? (await pgRestoreFor(source.dump));
    return withRestoreClient(login, installation.tools, needed);
  });
}

async function givenTo({ current, database }: Target, login: Postgres): Promise<AdminGrants> {
  if (!current?.allowsConnections) return NO_GRANTS;
  try {
    return await adminGrants(login, database);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return NO_GRANTS;
  }
}

/** The dump's table of contents, and what its login may do. */
async function contentsOf(
  { dump }: RestoreSource,
  login: Postgres,
  loader: Postgres | undefined,
  attempt: Attempt,
): Promise<Pick<Loading, 'toc' | 'rights'> | undefined> {
  const superuser = login.isSuperuser;
  const [toc, strangers] = await Promise.all([
    loader && attempt(() => readToc(dump, loader)),
    superuser ? [] : strangersTo(login),
  ]);
  if (!toc) return undefined;
  return { toc, rights: { login: login.login, superuser, strangers } };
}

/** For a copy made where the original lives: the filestore of the original, which holds most of its files too. */
async function neighbourOf(
  source: RestoreSource,
  { filestore, database }: Target,
  inPlace: boolean,
): Promise<OwnedFolder | undefined> {
  const of = source.database;
  if (inPlace || !filestore || !source.filestore) return undefined;
  if (of === undefined || of === database || !/^\w[\w.-]*$/.test(of)) return undefined;
  const path = join(dirname(filestore.path), of);
  const open = '[ ! -L "$1" ] && [ -d "$1" ] && [ -r "$1" ] && [ -x "$1" ] && echo open; :';
  const answer = await run(filestore.host, filestore.command(['sh', '-c', open, 'sh', path]));
  return answer === '' ? undefined : { ...filestore, path, exists: true };
}

async function differenceOf(
  { filestore: wanted }: RestoreSource,
  { filestore }: Target,
  neighbour: OwnedFolder | undefined,
): Promise<Difference | undefined> {
  return filestore && wanted && compareFilestore(filestore, wanted, neighbour);
}

async function servicesOf({ services }: Target, attempt: Attempt): Promise<PreflightFacts['services']> {
  if (!services) return { problems: [], running: undefined };
  const problems = (await attempt(() => services.problems())) ?? [];
  const running = await attempt(() => services.running());
  return { problems: problems.map(({ message, hint }) => ({ message, hint })), running };
}

/** A health check that can never pass would undo every rollback: here a person sees what it asks. */
async function answerOf({ site, services, health }: Target): Promise<string | undefined> {
  return services && healthNow({ host: site.pages, services, check: health.check });
}

async function programOf({
  site,
  services,
  units = services?.units ?? [],
  installation,
}: Target): Promise<OdooProgram | undefined> {
  const { host, accounts } = site.odoo;
  const program = await findOdooProgram(host, accounts, units, installation.conf);
  return program && { ...program, ...(await site.odooEnvironment()) };
}

async function lockOf({ admin, database }: Target): Promise<Problem | undefined> {
  const failures: Problem[] = [];
  const found = await attemptInto(failures)(() => lockProblem(admin, database));
  return found ? { message: found.message, hint: found.hint } : failures[0];
}
