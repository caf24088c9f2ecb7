import { codeWarning } from '../../code.ts';
import { type Check, type Judgement, problem } from '../check.ts';

const SWITCH =
  'Set code-command, which switches the code inside the rollback, or switch it by hand before; without require-same-code, the difference is a warning.';

/** Old data is put back under the code that is there: that may not be what it was written by. */
export const runsSameCode: Check = ({ code, codeUserProblem, request }) => {
  if (!code || !request.code) return {};
  const { command, requireSame } = request.code;
  const problems = codeUserProblem ? [codeUserProblem] : [];
  if (code.kind !== 'compared') {
    if (requireSame) return problem(`require-same-code: ${code.because}`, SWITCH);
    return command ? { problems, warnings: [`code-command is not called: ${code.because}`] } : {};
  }
  if (code.differences.length === 0) return { problems, passed: ['the code is the one of the backup'] };
  if (code.switching) return mayBeSwitched(code, problems);
  if (requireSame) return problem(`require-same-code: ${code.differences.join('; ')}`, SWITCH);
  const warning = codeWarning(code);
  return { problems, warnings: warning === undefined ? [] : [warning] };
};

/** Who writes to the bucket alone may send the code back to what the host knows, and to nothing else. */
function mayBeSwitched(
  { unknownHere, vouched }: { readonly unknownHere: readonly string[]; readonly vouched: boolean },
  problems: NonNullable<Judgement['problems']>,
): Judgement {
  if (vouched || unknownHere.length === 0) return { problems };
  return {
    problems: [
      ...problems,
      {
        message: `code-command: the backup names ${unknownHere.join(', ')}, which the host does not have, and no trusted signer has signed it`,
        hint: 'Set trusted-signers, so that the backup proves what it says; or fetch it on the host, when you know that it is right.',
      },
    ],
  };
}
