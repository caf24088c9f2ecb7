import type { PreflightFacts } from './facts.ts';

/** What the admin role does, because the login that loads the dump may not: one action a line. */
export function adminActions({
  source: { receipt, description },
  target: { admin },
  login,
  extensions,
  traits,
  trusted,
}: PreflightFacts): string[] {
  if (admin.login === login.login) return [];
  const made = extensions.filter(({ name }) => name !== 'plpgsql');
  const formerOwner = description?.postgres.owner;
  const byAdmin = made.filter(
    ({ name, owner }) =>
      !trusted.has(name) || (owner !== undefined && formerOwner !== undefined && owner !== formerOwner),
  );
  const state = receipt && description?.extensionState;
  return [
    'create the database, and later rename it',
    ...byAdmin.map(({ name }) => `create the extension ${name}`),
    ...(made.some(({ name }) => name === 'unaccent') ? ['mark the function unaccent IMMUTABLE'] : []),
    ...(state && state.sequences.length > 0 ? [`set ${state.sequences.length} sequences of extensions`] : []),
    ...(state?.privileges ?? []).map(
      ({ granted, privilege, object, role }) =>
        `${granted ? 'grant' : 'revoke'} ${privilege} on ${object} ${granted ? 'to' : 'from'} ${role ?? 'everybody'}, as far as a backup may say so`,
    ),
    ...(traits.settings.length > 0
      ? ['give the settings that its owner may not, as far as a backup may say so']
      : []),
  ];
}
