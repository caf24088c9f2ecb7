import { Accounts, type SudoPolicy } from '../host/accounts.ts';
import type { Command, Host } from '../host/host.ts';
import type { ServiceImage } from './code/code.ts';
import type { Services } from './services.ts';

/** Where commands run, and as whom. */
export interface SitePart {
  readonly host: Host;
  readonly accounts: Accounts;
}

/** Where the parts of one Odoo are. On a plain host they are all on that host. */
export interface Site extends SitePart {
  /** Where PostgreSQL's client programs run. */
  readonly database: SitePart;
  /** Where Odoo's configuration and its program are. */
  readonly odoo: SitePart;
  /** What Odoo's program takes from its environment: the way to its database. @throws UserError as `hints` do */
  odooEnvironment(): Promise<Pick<Command, 'env' | 'secretEnv'>>;
  /** Where Odoo's pages can be asked for, when it runs. */
  readonly pages: Host;
  /** Where its filestore is to be read and written, also while Odoo is stopped. */
  readonly files: SitePart;
  /**
   * Where another Odoo can run beside the one in use, which sees its filestores and reaches its database.
   *
   * @param image in Compose: the image that it is to run in; undefined: that of the Odoo in use
   */
  guest(image: string | undefined): SitePart;
  /** What is known of the way to the database beside odoo.conf. */
  readonly hints: DatabaseHints;
  /** For the log: what was found so far. */
  readonly notes: readonly string[];
  /** Where a folder that Odoo sees is on the machine; undefined: it is in its image, or in a volume. */
  onMachine(path: string): string | undefined;
  /** What the services of the Compose project run; empty where there is none. */
  images(): Promise<readonly ServiceImage[]>;
  /** Whether the machine has an image of this id, and knows it by the name and the digest as well. */
  hasImage(image: ServiceImage): Promise<boolean>;
  /** Why nothing may be written to this path of `files`; undefined: it may, as far as the site can tell. */
  obstacle(path: string): string | undefined;
  /** What stops and starts the services of these names; undefined: systemd's units are meant. */
  readonly services: ((names: readonly string[]) => Services) | undefined;
}

/**
 * What the environment says; odoo.conf counts more, and the inputs count most. So what may be in a file is read only
 * when it is needed.
 */
export interface DatabaseHints {
  /** Whether client programs run beside the server: then the host in odoo.conf is for Odoo alone. */
  readonly beside: boolean;
  readonly host?: string;
  readonly port?: number;
  /** @throws UserError when the file that holds it cannot be read */
  user?(): Promise<string | undefined>;
  /** Password of that user. @throws UserError when the file that holds it cannot be read */
  password?(user: string): Promise<string | undefined>;
}

/** A host on which Odoo and its database are simply installed. */
export function plainSite(host: Host, sudo: SudoPolicy): Site {
  const party = { host, accounts: new Accounts(host, sudo) };
  return {
    ...party,
    database: party,
    odoo: party,
    odooEnvironment: async () => ({}),
    pages: host,
    files: party,
    guest: () => party,
    hints: { beside: false },
    notes: [],
    onMachine: (path) => path,
    images: async () => [],
    hasImage: async () => false,
    obstacle: () => undefined,
    services: undefined,
  };
}
