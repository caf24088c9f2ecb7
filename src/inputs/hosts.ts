import { UserError } from '../util/errors.ts';
import { durationMs, type Fields, text } from './fields.ts';
import { HostInputs } from './inventory/host-inputs.ts';
import { limitedHosts } from './inventory/limit.ts';
import { profileOf, readProfiles } from './inventory/profiles.ts';
import { readInventory } from './inventory/read.ts';
import { variablesOf } from './inventory/variables.ts';
import type { InputName } from './table.ts';

export interface HostsInputs {
  readonly command: 'hosts';
  readonly jobs: readonly HostJob[];
  /** Hosts of the inventory that have no Odoo. */
  readonly leftOut: readonly string[];
  /** Time limit of the whole run. */
  readonly timeoutMs: number;
  /** Warnings about inputs that are given and have no effect. */
  readonly warnings: readonly string[];
}

/** One job of the CI; an empty string for what the inventory does not say. */
export interface HostJob {
  readonly host: string;
  /** As the input `database` takes it. */
  readonly database: string;
  readonly environment: string;
  /** How often its profile wants a backup. */
  readonly every: string;
}

/** A job, with the place where its backups are kept. */
interface FoundJob {
  readonly job: HostJob;
  readonly catalog: string;
}

/** @returns undefined when something that must be there is not */
export function parseHosts(fields: Fields): HostsInputs | undefined {
  const path = fields.required('inventory', text, 'is required: the Ansible inventory, in YAML');
  const limit = fields.optional('limit', text);
  const environment = fields.optional('environment', text);
  const timeoutMs = fields.required('timeout', durationMs);
  if (fields.given('host')) fields.problem('host: is for the other commands; for hosts, limit chooses some');
  if (path === undefined || timeoutMs === undefined) return undefined;
  return fields.check(() => {
    const inventory = readInventory(path);
    const found: FoundJob[] = [];
    const leftOut: string[] = [];
    for (const host of limitedHosts(inventory, limit)) {
      const inputs = new HostInputs(variablesOf(inventory, host));
      if (runsOdoo(inputs)) found.push(...jobsOf(fields, host, inputs));
      else leftOut.push(host);
    }
    refuseShared(fields, found);
    const jobs = found.map(({ job }) => job);
    const wanted = jobs.filter((job) => environment === undefined || job.environment === environment);
    // Where a value was refused, that is the reason.
    if (wanted.length > 0 || fields.problems.length > 0)
      return { command: 'hosts', jobs: wanted, leftOut, timeoutMs, warnings: [] };
    throw new UserError(
      environment === undefined
        ? `inventory: ${path} has no host with an Odoo`
        : `environment: no host is of '${environment}'`,
      environment === undefined
        ? 'One has dbname, odoo_conf, odoo_service or odoo_backup_database set.'
        : 'A host says so by the variable odoo_backup_environment, for itself or its group.',
    );
  });
}

const signsOfOdoo: readonly InputName[] = ['database', 'odoo-conf', 'services'];

const runsOdoo = (inputs: HostInputs): boolean => signsOfOdoo.some((name) => inputs.find(name));

/** One for each database that is named. */
function jobsOf(fields: Fields, host: string, inputs: HostInputs): FoundJob[] {
  for (const problem of inputs.problems()) if (!fields.problems.includes(problem)) fields.problem(problem);
  const wordsOf = (name: InputName): string => {
    const found = inputs.find(name);
    if (found === undefined) return '';
    if (typeof found.value === 'string') return found.value;
    fields.problem(`${found.source}: ${found.value.message}`);
    return '';
  };
  const environment = wordsOf('environment');
  const profiles = fields.own('profiles') ? readProfiles(fields.own('profiles')) : inputs.raw('profiles');
  const every = environment && profiles ? profileOf(profiles, environment, () => {}).every : '';
  const folder = `${wordsOf('s3-bucket')}/${wordsOf('s3-prefix')}/${wordsOf('customer')}`;
  return databases(wordsOf('database')).map((database) => ({
    job: { host, database, environment, every },
    catalog: `${folder}/${database}`,
  }));
}

/** A rollback of one host to the latest backup would otherwise take that of another. */
function refuseShared(fields: Fields, found: readonly FoundJob[]): void {
  const named = found.filter(({ job }) => job.database !== '');
  for (const [{ job }, ...others] of Map.groupBy(named, ({ catalog }) => catalog).values() as Iterable<
    [FoundJob, ...FoundJob[]]
  >) {
    const other = others.find((each) => each.job.host !== job.host)?.job;
    if (other === undefined) continue;
    fields.problem(
      `inventory: the backups of ${job.database} on ${job.host} and on ${other.host} would be mixed up: give each host a customer of its own, such as odoo_backup_customer: '{{ inventory_hostname }}'`,
    );
  }
}

/** A `/pattern/` may hold commas. */
const databases = (value: string): string[] => (value.startsWith('/') ? [value] : value.split(/[\s,]+/));
