import { majorOf } from '../../../postgres/version.ts';
import type { Check } from '../check.ts';

export const mayStopServices: Check = ({ target, services: { problems, running } }) => {
  if (problems.length > 0 || !target.services || running === undefined) return { problems };
  const { stopCommands, startCommands } = target.services;
  return { passed: [`${[...stopCommands, ...startCommands].join(', ')} may be run`] };
};

/** Since version 16, Odoo knows what each module has switched off. */
export const isNeutralizedByOdoo: Check = ({ source: { odooVersion }, request, hasProgram }) => {
  const major = majorOf(odooVersion?.replace(/^saas~/, ''));
  if (!request.neutralize || hasProgram || major === undefined || major < 16) return {};
  return {
    warnings: [
      'The host has no program odoo that knows neutralize: what Odoo’s own modules switch off is off all the same, what other modules would switch off is not',
    ],
  };
};
