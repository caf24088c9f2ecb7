import { findCode } from '../odoo/code/find-code.ts';
import {
  type CodeCommand,
  type CodeSwitch,
  codeEnvironment,
  differsFrom,
  switchCode,
} from '../odoo/code/switch-code.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { commandByHand } from './by-hand.ts';
import type { Step } from './plan.ts';
import type { Work } from './work.ts';

/** Switches the code, while Odoo is stopped: none where it is the same, or is to stay. */
export function codeSteps(work: Work): Step[] {
  const { code } = work.findings;
  const command = work.request.code?.command;
  if (code?.kind !== 'compared' || !code.switching || !command) return [];
  return [codeStep(work, command, code.switching, code.differences)];
}

function codeStep(
  { target, request, platform }: Work,
  command: CodeCommand,
  { before, now }: CodeSwitch,
  differences: readonly string[],
): Step {
  const { host, site, installation } = target;
  const { shell, user } = command;
  const as = user === undefined ? '' : `as ${user}: `;
  const byHand = {
    host,
    command: (argv: readonly string[]) => ({ argv, ...(user !== undefined && { as: user }) }),
  };
  const variables = Object.entries(codeEnvironment(now, 'undo')).map(([name, value]) => `${name}=${value}`);
  return {
    name: 'code',
    title: 'Switch the code to that of the backup',
    details: [`${as}${shell}`, ...differences],
    unbroken: true,
    async run() {
      await switchCode(host, command, before, 'back');
      const found = await findCode(site, installation.conf);
      const left = found.known ? differsFrom(before, found.code) : [found.because];
      if (left.length === 0) return platform.info('The code is that of the backup');
      const message = `code-command has ended well, and the code is not that of the backup: ${left.join('; ')}`;
      if (request.code?.requireSame) throw new UserError(message, 'Try the command on the host by hand.');
      platform.warning(message);
    },
    undo: {
      title: 'Switch the code to what it was before',
      isOdoos: true,
      async run() {
        try {
          await switchCode(host, command, now, 'undo');
        } catch (error) {
          // It may have failed before it switched anything: then Odoo is not to stay stopped for it.
          const found = await findCode(site, installation.conf).catch(() => undefined);
          if (!found?.known || differsFrom(now, found.code).length > 0) throw error;
          platform.warning(`${messageOf(error)}. The code is what it was before all the same`);
        }
      },
      byHand: [commandByHand(byHand, ['env', ...variables, 'sh', '-c', shell])],
    },
  };
}
