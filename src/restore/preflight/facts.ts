import type { DumpToc } from '../../backup-reader/dump-toc.ts';
import type { RestoreSource } from '../../backup-reader/open.ts';
import type { BackupDescription } from '../../catalog/description.ts';
import type { OwnedFolder } from '../../host/owned-folder.ts';
import type { Services } from '../../odoo/services.ts';
import type { DatabaseState, SessionGroup } from '../../postgres/databases.ts';
import type { ExtensionProblem } from '../../postgres/extensions/create.ts';
import type { LogicalSlot } from '../../postgres/replication-slots.ts';
import type { Postgres } from '../../postgres/server.ts';
import type { DatabaseTraits, Extension } from '../../postgres/traits.ts';
import type { CodeFinding } from '../code.ts';
import type { Problem } from '../problem.ts';
import type { Request } from '../request.ts';
import type { Space } from '../space.ts';
import type { LoaderRights, Unloadable } from '../toc-checks.ts';

/** What a preflight has found out, and what its checks judge. */
export interface PreflightFacts {
  readonly source: JudgedSource;
  readonly target: JudgedTarget;
  readonly request: Pick<
    Request,
    | 'source'
    | 'inPlace'
    | 'replace'
    | 'beside'
    | 'neutralize'
    | 'dropSlots'
    | 'code'
    | 'skipTables'
    | 'salvage'
    | 'encryptTo'
  >;
  /** Why something else could not be found out. */
  readonly failures: readonly Problem[];
  /** Owner of the new database. */
  readonly owner: string;
  readonly traits: Pick<DatabaseTraits, 'encoding' | 'collate' | 'ctype' | 'localeProvider' | 'locale'> & {
    readonly settings: readonly unknown[];
  };
  readonly extensions: readonly Extension[];
  /** The login that loads the dump; where there is none, the login that only reads. */
  readonly login: Pick<Postgres, 'login' | 'version'>;
  readonly isLoginSuperuser: boolean;
  /** undefined: the dump's table of contents could not be read. */
  readonly loading: Loading | undefined;
  readonly isStandby: boolean;
  /** What the admin role may not do, one thing each, with the command that lets it. */
  readonly missingRights: readonly string[];
  /** Roles that the backup names and the server does not have; empty for a copy, which needs none of them. */
  readonly missingRoles: readonly string[];
  readonly missingLocales: readonly string[];
  readonly extensionProblems: readonly ExtensionProblem[];
  /** false: the new database needs `unaccent`, and nobody may mark it IMMUTABLE. */
  readonly mayMarkUnaccent: boolean;
  /** Extensions that the owner of a database may create; empty where the admin role is the login. */
  readonly trusted: ReadonlySet<string>;
  /** Slots of logical replication that go with the database which is replaced. */
  readonly slots: readonly LogicalSlot[];
  /** Sessions in the database that would be replaced. */
  readonly sessions: readonly SessionGroup[];
  /** Why the lock is not to be had; undefined: it is, or this run holds it. */
  readonly lock: Problem | undefined;
  readonly space: Pick<Space, 'problems'>;
  readonly isFilestoreMount: boolean;
  /** What would keep the services from stopping and starting, and which run (undefined: this cannot be determined). */
  readonly services: {
    readonly problems: readonly Problem[];
    readonly running: readonly string[] | undefined;
  };
  /** Whether the host has a program that neutralizes. */
  readonly hasProgram: boolean;
  /** How the code stands to the backup's; undefined: it is left alone. */
  readonly code: CodeFinding | undefined;
  readonly codeUserProblem: Problem | undefined;
}

/** What the load of a dump would come to. */
export interface Loading {
  readonly toc: DumpToc;
  /** What `login` may do. */
  readonly rights: LoaderRights;
  /** What of the dump it may not make. */
  readonly unloadable: Unloadable;
}

/** What checks look at of a backup. */
export interface JudgedSource extends Pick<RestoreSource, 'uri' | 'database' | 'odooVersion' | 'isSealed'> {
  readonly receipt: { readonly postgres: { readonly server: string } } | undefined;
  readonly description:
    | (Pick<BackupDescription, 'roles' | 'extensionState'> & {
        readonly postgres: Pick<BackupDescription['postgres'], 'server' | 'owner'>;
      })
    | undefined;
  readonly dump: Pick<RestoreSource['dump'], 'kind'>;
  /** undefined: a backup of the database alone. */
  readonly filestore: object | undefined;
}

/** What checks look at of a target. */
export interface JudgedTarget {
  readonly database: string;
  readonly current: Pick<DatabaseState, 'bytes'> | undefined;
  readonly filestore: Pick<OwnedFolder, 'path' | 'exists'> | undefined;
  readonly postgres: Pick<Postgres, 'version' | 'isPooled'>;
  readonly admin: Pick<Postgres, 'version' | 'isPooled' | 'role' | 'login'>;
  readonly services: Pick<Services, 'stopCommands' | 'startCommands'> | undefined;
}
