import { UserError } from '../util/errors.ts';
import { formatNames } from '../util/format.ts';
import type { ConfigFile } from './command-line/config-file.ts';
import { type Fields, matching, text } from './fields.ts';
import type { Inventory } from './inventory/groups.ts';
import { HostInputs } from './inventory/host-inputs.ts';
import { type Profile, profileInput, profileOf, readProfiles } from './inventory/profiles.ts';
import { readInventory } from './inventory/read.ts';
import { variablesOf } from './inventory/variables.ts';
import type { Value } from './inventory/yaml.ts';
import type { InputName } from './table.ts';

/** For each input, those that nothing may stand in for once it is given. */
const exclusive: Partial<Record<InputName, readonly InputName[]>> = {
  services: ['stop-command', 'start-command'],
  'stop-command': ['services'],
  'start-command': ['services'],
};

/**
 * Makes the inventory and the profile stand in for inputs that are not given: an input itself counts most, then what
 * the inventory says of the host, then the profile of the environment, then the file of the working folder.
 *
 * @param config the file of the working folder; undefined: the folder has no such file
 * @returns whether all that stands in is known; else a problem says why not, and an input that is missing may be given
 * there
 */
export function addStandIns(fields: Fields, config?: ConfigFile): boolean {
  const before = fields.problems.length;
  const host = fields.check(() => hostInputs(fields));
  if (fields.problems.length > before) return false;
  for (const problem of host?.problems() ?? []) fields.problem(problem);
  for (const problem of config?.problems ?? []) fields.problem(problem);
  fields.standIn((name) => (yields(fields, name) ? undefined : (host?.find(name) ?? config?.find(name))));
  const ofHost = fields.problems.length;
  const profile = fields.check(() => profileFor(fields, host, config));
  if (fields.problems.length > ofHost) return false;
  if (!profile) return true;
  fields.standIn((name) =>
    yields(fields, name)
      ? undefined
      : (host?.find(name) ?? profileInput(profile, name) ?? config?.find(name)),
  );
  return true;
}

function yields(fields: Fields, name: InputName): boolean {
  if (name === 'ssh-user' && fields.own('ssh-host').includes('@')) return true;
  // `[user@]host:port`, and no IPv6 address without brackets.
  if (name === 'ssh-port' && /(^|@|\/)([^:@/]+|\[[^\]]*\]):\d+\/?$/.test(fields.own('ssh-host'))) return true;
  return (exclusive[name] ?? []).some((other) => fields.own(other) !== '');
}

/** @throws UserError where the host cannot be told, or the inventory cannot be read */
function hostInputs(fields: Fields): HostInputs | undefined {
  const path = fields.optional('inventory', text);
  const given = fields.optional('host', text);
  if (fields.given('limit')) fields.problem('limit: is for the command hosts; here, host names the one');
  if (path === undefined) {
    if (given !== undefined) fields.problem('host: is the name of a host in inventory, which is not given');
    return undefined;
  }
  const inventory = readInventory(path);
  const host = given ?? onlyHost(inventory);
  if (inventory.hosts.has(host)) return new HostInputs(variablesOf(inventory, host));
  const what = inventory.groups.has(host) ? 'is a group of' : 'is no host of';
  throw new UserError(`host: '${host}' ${what} ${path}`, someOf(inventory.hosts.keys()));
}

function onlyHost({ hosts, path }: Inventory): string {
  const [only, ...others] = hosts.keys();
  if (only !== undefined && others.length === 0) return only;
  throw new UserError(`host: is required: ${path} has ${hosts.size} hosts`, someOf(hosts.keys()));
}

function someOf(names: Iterable<string>): string {
  const all = [...names];
  return `There ${all.length === 1 ? 'is' : 'are'} ${formatNames(all, 10) || 'none'}.`;
}

/** @returns undefined where no environment is named */
function profileFor(
  fields: Fields,
  host: HostInputs | undefined,
  config: ConfigFile | undefined,
): Profile | undefined {
  const environment = fields.optional('environment', environmentName);
  const profiles = profilesFor(fields, host) ?? config?.profiles;
  if (environment === undefined) {
    if (fields.own('profiles') !== '' && !fields.given('environment'))
      fields.problem('environment: is required, because profiles is given');
    return undefined;
  }
  // An inventory may say of each host where it belongs without having profiles; jobs of `hosts` repeat that.
  if (profiles === undefined && host?.find('environment')?.value === environment) return undefined;
  if (profiles === undefined) {
    throw new UserError(
      `environment: '${environment}' has no profile`,
      'Give profiles: a YAML file, or text, with the inputs of each environment.',
    );
  }
  return profileOf(profiles, environment, (line) => fields.problem(line));
}

function profilesFor(fields: Fields, host: HostInputs | undefined): Value | undefined {
  const own = fields.own('profiles');
  return own === '' ? host?.raw('profiles') : readProfiles(own);
}

const environmentName = matching(/^[\w.-]+$/, 'the name of an environment, such as production');
