import { entryAsPlain } from '../backup-reader/plain-dump.ts';
import { createDatabase, handOver } from '../postgres/create-database.ts';
import { applySettings, completeSearchPath, resetSettings } from '../postgres/database-settings.ts';
import { dropDerivedDatabase } from '../postgres/drop-database.ts';
import { createExtensions, type Prepared } from '../postgres/extensions/create.ts';
import {
  type ExtensionState,
  presetExtensionSequences,
  putBackExtensionState,
} from '../postgres/extensions/state.ts';
import { loadDump } from '../postgres/load.ts';
import { mayMakeFor } from '../postgres/owner-login.ts';
import type { RefusedStatement } from '../postgres/refusal.ts';
import { identifier, sql } from '../postgres/sql.ts';
import { applyPrivileges } from '../postgres/traits.ts';
import { allEnded } from '../util/begun.ts';
import { formatBytes } from '../util/format.ts';
import type { Background } from './background.ts';
import { sqlByHand } from './by-hand.ts';
import { type DumpOnItsWay, dumpOnItsWay, watched } from './dump-on-its-way.ts';
import { wayWords } from './loading-ways.ts';
import type { Step } from './plan.ts';
import { refuse } from './problem.ts';
import { whileServerHasSpace } from './space-watch.ts';
import { judgeParts, tablesInDatabase } from './whole-dump.ts';
import type { Work } from './work.ts';

/** What goes on beside the steps that build a database. */
interface Beside {
  /** The dump, on its way to the host. */
  readonly file: DumpOnItsWay | undefined;
  /** ANALYZE, which goes on while the filestore is built and the new is compared with the backup. */
  readonly statistics: Background<void>;
}

/** Creates the new database, and loads the dump into it. */
export function databaseSteps(work: Work, statistics: Background<void>): Step[] {
  let prepared: Prepared | undefined;
  const beside = { file: dumpOnItsWay(work), statistics };
  const create = createStep(work, beside, (made) => {
    prepared = made;
  });
  return [create, loadStep(work, beside, () => prepared)];
}

function createStep(work: Work, { file, statistics }: Beside, tell: (made: Prepared) => void): Step {
  const { source, target, findings, databases, request } = work;
  const { admin, current } = target;
  const { traits, extensions, owner, loader, given, adminActions } = findings;
  const prepared = extensions.map(({ name }) => name).filter((name) => name !== 'plpgsql');
  return {
    name: 'create',
    title: `Create the database ${databases.new}`,
    details: [
      `owned by ${owner}; ${traits.encoding}, ${[...new Set([traits.collate, traits.ctype])].join(', ')}`,
      ...(prepared.length > 0 ? [`with the extensions ${prepared.join(', ')}`] : []),
      ...adminActions.map((action) => `as ${admin.login}: ${action}`),
    ],
    async run(signal) {
      file?.begin(signal);
      await createDatabase(admin, databases.new, owner, { ...traits, tablespace: current?.tablespace });
      const made = await createExtensions(
        { app: loader, admin, database: databases.new, owner },
        extensions,
        {
          sameVersions: request.inPlace,
          formerOwner: source.description?.postgres.owner,
          also: given.extensions,
        },
      );
      tell(made);
      for (const other of made.otherVersions) {
        tellLeftOut(work, `The extension ${other}: this server cannot make that version`);
      }
      const state = believedState(work);
      // Extensions of PostGIS set its search_path: what the backup says is what counts.
      const [, preset] = await allEnded(
        (source.description ? resetSettings : completeSearchPath)(admin, databases.new),
        presetExtensionSequences({ app: loader, admin, database: databases.new, state }),
      );
      tellRefusals(work, preset);
      await handOver(admin, databases.new, owner);
      const by = { app: loader, admin };
      tellRefusals(work, await applyPrivileges(by, databases.new, traits, owner));
    },
    undo: {
      title: `Drop ${databases.new}`,
      async run() {
        await Promise.all([file, statistics].map((each) => each?.[Symbol.asyncDispose]()));
        await dropDerivedDatabase(admin, databases.new, databases.current);
      },
      byHand: [
        sqlByHand(
          admin,
          sql`ALTER DATABASE ${identifier(databases.new)} IS_TEMPLATE false`,
          sql`DROP DATABASE ${identifier(databases.new)}`,
        ),
      ],
    },
  };
}

function loadStep(work: Work, { file, statistics }: Beside, prepared: () => Prepared | undefined): Step {
  const { source, target, findings, databases, platform } = work;
  const { dump } = source;
  const { loader, keepOwnership, owner, withoutObjects } = findings;
  return {
    name: 'load',
    title: `Load the dump: ${formatBytes(dump.size)}, ${dump.kind} format`,
    details: [
      wayWords(findings.ways, { jobs: target.jobs, dumpPlace: findings.dumpPlace }),
      keepOwnership ? 'owners and grants as in the backup' : `everything belongs to ${owner}`,
      ...(withoutObjects.superusers.length > 0
        ? [`without objects that only a superuser can create: ${withoutObjects.superusers.join(', ')}`]
        : []),
      ...(work.request.skipTables.length > 0
        ? [`without the rows of ${work.request.skipTables.join(', ')}`]
        : []),
      'then ANALYZE, for the query planner',
    ],
    bytes: dump.size,
    async run(runs, progress) {
      // A plain dump seldom names owners: then everything belongs to the role that loads it.
      const isForOwner = loader.login !== owner && !(keepOwnership && dump.kind !== 'plain');
      const role = isForOwner && (await mayMakeFor(loader, owner)) ? owner : undefined;
      const load = (signal: AbortSignal) =>
        loadDump(loader, databases.new, watched(dump, progress), {
          tools: target.installation.tools,
          jobs: target.jobs,
          schemas: prepared()?.schemas ?? [],
          members: prepared()?.members,
          asPlain: entryAsPlain,
          without: withoutObjects.lines,
          withoutSuperusers: !work.request.inPlace,
          keepOwnership,
          role,
          file: file?.take(signal, progress),
          signal,
        });
      const loaded = await whileServerHasSpace(findings, runs, load);
      await source.assertDump();
      if (loaded.withoutRows && !source.description && !source.receipt)
        await assertParts(work, loaded.withoutRows);
      for (const line of loaded.skipped)
        platform.info(`Skipped, because the role may not do it or does not have to: ${line}`);
      for (const object of withoutObjects.superusers) {
        tellLeftOut(work, `${object}: only a superuser can create it`);
      }
      tellRefusals(work, await putBackExtensions(work, prepared()));
      statistics.begin(loader.host, runs);
    },
  };
}

/** @throws UserError for plain SQL of others that holds a part of a database: other dumps were judged by the preflight */
async function assertParts(
  { source, findings, databases, platform, request }: Work,
  withoutRows: readonly string[],
): Promise<void> {
  const found = await tablesInDatabase(findings.loader, databases.new, withoutRows);
  const { problems, warnings } = judgeParts(found, source.uri, request.inPlace);
  for (const warning of warnings) platform.warning(warning);
  refuse(problems);
}

/** What a backup asks of an admin is believed only if the backup has a receipt. */
const believedState = ({ source }: Work): ExtensionState | undefined =>
  source.receipt && source.description?.extensionState;

function putBackExtensions(work: Work, prepared: Prepared | undefined): Promise<RefusedStatement[]> {
  const { target, findings, databases, request } = work;
  const { owner, traits, loader, given } = findings;
  return putBackExtensionState({
    app: loader,
    admin: target.admin,
    database: databases.new,
    state: believedState(work),
    owners: { before: traits.owner, now: owner, others: request.inPlace },
    given: given.privileges,
    taken: prepared?.takenSchemas ?? [],
  });
}

function tellRefusals(work: Work, refusals: readonly RefusedStatement[]): void {
  for (const { statement, reason } of refusals) tellLeftOut(work, `${statement}: ${reason}`);
}

function tellLeftOut({ platform, leftOut }: Work, what: string): void {
  platform.warning(`Left out: ${what}`);
  leftOut.push(what);
}

/** Last: what they ask of sessions (read only, no long statements) is not meant for those that build. */
export function settingsSteps(work: Work): Step[] {
  const { target, findings, databases } = work;
  const { traits, owner } = findings;
  const names = [
    ...traits.settings.map(({ role, setting }) => {
      const [name = ''] = setting.split('=', 1);
      return role === null ? name : `${name} of ${role}`;
    }),
    ...(traits.connectionLimit == null ? [] : ['its limit of connections']),
  ];
  if (names.length === 0) return [];
  return [
    {
      name: 'settings',
      title: 'Give the database its settings',
      details: [names.join(', ')],
      run: async () => {
        const by = { app: findings.loader, admin: target.admin };
        const { settings } = findings.given;
        tellRefusals(work, await applySettings(by, databases.new, traits, { owner, given: settings }));
      },
    },
  ];
}
