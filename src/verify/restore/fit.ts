import type { RestoreSource } from '../../backup-reader/open.ts';
import { extensionProblems, packageOf } from '../../postgres/extensions/create.ts';
import type { Extension } from '../../postgres/traits.ts';
import { UserError } from '../../util/errors.ts';
import { neededMajor } from './dump-needs.ts';
import type { TestServer } from './servers/server.ts';

/**
 * Whether a server can have what a backup holds, read only.
 * @throws UserError where it cannot: that says nothing about the archive
 */
export async function assertFit(source: RestoreSource, server: TestServer): Promise<void> {
  assertNewEnough(source, server);
  const { app, admin, label, also } = server;
  const problems = await extensionProblems(app, admin, source.description?.extensions ?? [], also);
  const named = (which: string) =>
    problems.filter(({ problem }) => problem === which).map(({ extension }) => extension);
  const [absent, forAdmin, refused] = [named('absent'), named('admin'), named('refused')];
  const { major } = app.version;
  if (absent.length > 0) throw lacks(absent, label, major);
  if (forAdmin.length > 0) {
    throw new UserError(
      `restore-test: on ${label}, the role ${admin.role} is not allowed to create the extension ${forAdmin.join(', ')} of the backup`,
      'Name a superuser: in the URL of restore-test; in db-admin-user, where it is host.',
    );
  }
  if (refused.length > 0) {
    throw new UserError(
      `restore-test: on ${label}, ${admin.login} does not create the extension ${refused.join(', ')} only because a backup names it: it can give the owner of a database access beyond the database`,
      'Set restore-test to runner, where a server is started for the test alone.',
    );
  }
}

function assertNewEnough(source: RestoreSource, { app, label }: TestServer): void {
  const needed = neededMajor(source);
  if (app.version.isAtLeast(needed)) return;
  throw new UserError(
    `restore-test: the dump needs PostgreSQL ${needed} or newer, and ${label} has ${app.version.text}`,
    `Set restore-test to a server of PostgreSQL ${needed}, or to runner.`,
  );
}

function lacks(absent: readonly Extension['name'][], label: string, major: number): UserError {
  const packages = absent.map((name) => packageOf(name, major)).join(' ');
  return new UserError(
    `restore-test: PostgreSQL on ${label} lacks the extension ${absent.join(', ')} of the backup, which says nothing about the archive`,
    `Install it (apt-get install ${packages}), or set restore-test to the URL of a service container that has it${imageOf(absent, major)}; or to host.`,
  );
}

function imageOf(absent: readonly Extension['name'][], major: number): string {
  if (absent.some((name) => name.startsWith('postgis'))) return `, such as postgis/postgis:${major}-3.5`;
  return absent.includes('vector') ? `, such as pgvector/pgvector:pg${major}` : '';
}
