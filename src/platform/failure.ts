import { type Block, code, type Facts, type Summary } from '../report/summary.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { moreHelp } from './more-help.ts';
import { describeError } from './platform.ts';

const [BECAUSE, TO_DO, LEFT] = ['Because', 'What to do', 'Left as it was'];

/**
 * What a person has to know of a run that failed: what, why, what to do, and what was left as it was.
 *
 * @param left the last of these, as a sentence
 */
export function failureOf(error: unknown, left: string): Summary {
  const [title = '', ...details] = messageOf(error)
    .split('\n')
    .map((line) => line.trim());
  const hint = error instanceof UserError ? error.hint : undefined;
  const [, ...more] = describeError(error);
  const causes = more.flatMap((line) =>
    line.startsWith('because: ') ? [line.slice('because: '.length)] : [],
  );
  const [advice = '', ...where] = more.filter((line) => !line.startsWith('because: '));
  const rows: Facts['rows'] = [
    ...causes.map((cause) => [BECAUSE, cause] as const),
    ...(advice === '' ? [] : [[TO_DO, advice] as const]),
    ...(where.length === 0 ? [] : [['Thrown', code(where.join(' ').trim())] as const]),
    ...[moreHelp(error)].flatMap((more) => (more === undefined ? [] : [['More', more] as const])),
    ...(left === '' || hint?.startsWith(left) ? [] : [[LEFT, left] as const]),
  ];
  return {
    outcome: 'failed',
    title: error instanceof UserError ? title.replace(/:$/, '') : `Unexpected error: ${title}`,
    blocks: [
      ...(details.length > 0 ? [{ kind: 'steps', title: 'One by one', items: details } as const] : []),
      ...(rows.length > 0 ? [{ kind: 'facts', rows } as const] : []),
    ],
  };
}

/** What a failure adds to a summary that has told of it: what to do, unless that stands there as well. */
export function untold(failure: Summary, told: Summary): Block[] {
  const says = told.blocks.some(
    (block) =>
      (block.kind === 'facts' && block.rows.some(([name]) => name === TO_DO)) ||
      (block.kind === 'table' && block.columns.some(({ name }) => name === TO_DO)) ||
      block.kind === 'steps',
  );
  if (says) return [];
  return failure.blocks.flatMap((block): Block[] =>
    block.kind === 'facts' ? [{ ...block, rows: block.rows.filter(([name]) => name !== BECAUSE) }] : [],
  );
}

/** The summaries of a run, and its failure: as the end of the one that has told of it, or else as one of its own. */
export function withFailure(summaries: readonly Summary[], failure: Summary): Summary[] {
  const last = summaries.at(-1);
  if (last?.outcome !== 'failed') return [...summaries, failure];
  return [...summaries.slice(0, -1), { ...last, blocks: [...last.blocks, ...untold(failure, last)] }];
}
