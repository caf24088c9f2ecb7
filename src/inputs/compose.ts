import type { ComposeSettings } from '../odoo/compose/project.ts';
import { absolutePath, type Fields, matching } from './fields.ts';

/** The name of a service, by Compose's own rule: a name that begins with a dash would be an option. */
const serviceName = matching(/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/, 'the name of a service in the compose file');

/** Reads the inputs `compose-…`. @returns null where none is given */
export function parseCompose(fields: Fields): ComposeSettings | null {
  const names = [
    'compose-file',
    'compose-project-directory',
    'compose-odoo-service',
    'compose-db-service',
  ] as const;
  if (!names.some((name) => fields.given(name))) return null;
  const projectDirectory = fields.optional('compose-project-directory', absolutePath);
  const file = fields.given('compose-project-directory') ? pathInProject : absolutePath;
  const files = fields.optional('compose-file', (value) =>
    value
      .split(/[\n,]+/)
      .map((each) => each.trim())
      .filter(Boolean)
      .map(file),
  );
  const odooService = fields.optional('compose-odoo-service', serviceName);
  const dbService = fields.optional('compose-db-service', serviceName);
  if (!fields.given('compose-file') && !fields.given('compose-project-directory')) {
    fields.problem(
      'compose-project-directory: is required (or compose-file): the folder on the host in which the Compose project is',
    );
  }
  if (!fields.given('compose-odoo-service') && !fields.given('compose-db-service')) {
    fields.problem(
      'compose-odoo-service: is required, or compose-db-service, or both: which services of the Compose project run Odoo and PostgreSQL',
    );
  }
  return { files: files ?? [], projectDirectory, odooService, dbService };
}

/** A path in the folder that Compose is started in. */
const pathInProject = matching(
  /^[^-\0\n][^\0\n]*$/,
  'a path on the host, absolute or in compose-project-directory',
);
