import { caseOf, processorOf, ratioOf, shareOf } from './figures.ts';
import type { Part, Recorded } from './record.ts';

/** A comparison that people ask for first. */
interface Comparison {
  readonly part: Part;
  readonly size: string;
  readonly link: string;
  readonly ours: string;
  readonly theirs: string;
  /** `the script in a first backup of 2 GB` */
  readonly words: string;
}

const COMPARISONS: readonly Comparison[] = [
  {
    ...{ part: 'backup', size: 'large', link: 'loopback', ours: 'ours', theirs: 'script' },
    words: 'the script, first backup of 3 GB',
  },
  {
    ...{ part: 'backup', size: 'small', link: 'loopback', ours: 'ours', theirs: 'script' },
    words: 'the script, first backup of a small database',
  },
  {
    ...{ part: 'again', size: '1 GB', link: 'loopback', ours: 'ours', theirs: 'script' },
    words: 'the script, next backup',
  },
  {
    ...{ part: 'again', size: '1 GB', link: '80 ms', ours: 'ours', theirs: 'restic' },
    words: 'restic, next backup over the line',
  },
  {
    ...{ part: 'again', size: '1 GB', link: 'loopback', ours: 'ours', theirs: 'restic' },
    words: 'restic, next backup on loopback, both dumps',
  },
  {
    ...{ part: 'again', size: '1 GB', link: 'loopback', ours: 'ours, format: custom', theirs: 'restic' },
    words: 'restic, next backup on loopback, one dump',
  },
  {
    ...{ part: 'rollback', size: 'large', link: 'loopback', ours: 'ours', theirs: 'plain way' },
    words: 'the plain way, large rollback',
  },
  {
    ...{ part: 'rollback', size: 'small', link: 'loopback', ours: 'ours', theirs: 'plain way' },
    words: 'the plain way, small rollback',
  },
];

/** Less than this is no difference. */
const SAME = 0.05;

/** What the results say, in three sentences: where we are faster, where we are not, and why. */
export function conclusion(recorded: Recorded): string[] {
  const found = COMPARISONS.flatMap(({ part, size, link, ours, theirs, words }) => {
    const ratio = ratioOf(caseOf(recorded, part, size, link), ours, theirs);
    return ratio === undefined ? [] : [{ ratio, text: `${words}: ${ratio.toFixed(2)}` }];
  });
  if (found.length === 0) {
    return [
      '**No results are recorded yet.** Earlier results were of an older version of the program, or of a busy machine.',
    ];
  }
  const list = (those: typeof found) => those.map(({ text }) => text).join('; ');
  const faster = found.filter(({ ratio }) => ratio < 1 - SAME);
  const others = found.filter(({ ratio }) => ratio >= 1 - SAME);
  const again = caseOf(recorded, 'again', '1 GB');
  const [share, seconds] = [shareOf(again, 'ours'), processorOf(again, 'ours', ({ all }) => all)];
  const cost =
    share === undefined || seconds === undefined
      ? ''
      : `, which took ${seconds.toFixed(1)} s of processor, ${(100 * share).toFixed(0)} % of all that the machine did`;
  return [
    [
      faster.length > 0
        ? `**Our time as a part of theirs where we are faster (${list(faster)}).**`
        : '**We are faster nowhere.**',
      others.length > 0
        ? `Where we are not: ${list(others)}.`
        : 'There is no comparison in which we are not.',
      `We win where bytes need not move: S3 copies the files that it has, and a rollback links those that the host has${others.length > 0 ? `; what costs us is the dump, of which every byte is compressed anew, twice in \`dual\`${cost}, where restic sends only the blocks that are new` : ''}.`,
    ].join(' '),
  ];
}
