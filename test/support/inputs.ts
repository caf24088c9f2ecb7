import type { BackupInputs } from '../../src/inputs/backup.ts';
import { parseInputs } from '../../src/inputs/parse.ts';
import { type InputName, inputNamed } from '../../src/inputs/table.ts';
import type { Environment } from '../../src/platform/platform.ts';

/** Inputs by their names, as a user writes them. */
export type RawInputs = Partial<Record<InputName, string>>;

/** As few inputs as a backup needs. */
export const fewestInputs: RawInputs = {
  'ssh-host': 'deploy@odoo.example.com',
  'ssh-fingerprint': `SHA256:${'a'.repeat(43)}`,
  's3-bucket': 'backups',
  customer: 'acme',
};

/** The environment that goes with them: an SSH agent and a region. */
export const fewestVariables: Environment = { SSH_AUTH_SOCK: '/run/agent.sock', AWS_REGION: 'eu-central-1' };

/** Inputs as the platforms hand them over. @throws Error for a name that no input has */
export function reader(inputs: RawInputs): (name: string) => string {
  const unknown = Object.keys(inputs).find((name) => !inputNamed(name));
  if (unknown) throw new Error(`There is no input ${unknown}`);
  return (name) => inputs[name as InputName] ?? '';
}

/** The checked inputs of a backup: the fewest, with `overrides`. @throws InputError where those are wrong */
export function inputsFixture(overrides: RawInputs = {}, env: Environment = {}): BackupInputs {
  const inputs = parseInputs(reader({ ...fewestInputs, ...overrides }), { ...fewestVariables, ...env });
  if (inputs.command !== 'backup') throw new TypeError(`Not the inputs of a backup: ${inputs.command}`);
  return inputs;
}
