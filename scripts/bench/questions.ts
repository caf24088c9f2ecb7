/** Makes the program print when it asked what, and when the answer began: src/util/questions.ts. */
export const TELL_QUESTIONS = { NODE_DEBUG: 'odoo-backup-questions' } as const;

const LINE = /^ODOO-BACKUP-QUESTIONS \d+: (host|s3) (.*) ([\d.]+) ([\d.]+)$/gm;

/** What sends data, and is not waited for. */
const SENDING = /^UploadPart/;

/** How many questions were asked one after the other: each was asked after the one before was answered. */
export interface RoundTrips {
  readonly host: number;
  readonly s3: number;
}

/** @param log of a run with `TELL_QUESTIONS` */
export function roundTripsOf(log: string): RoundTrips {
  const questions = [...log.matchAll(LINE)].map(([, whom, what = '', asked, answered]) => ({
    whom,
    what,
    asked: Number(asked),
    answered: Number(answered),
  }));
  const longest = (whom: string): number => {
    const those = questions.filter((each) => each.whom === whom && !SENDING.test(each.what));
    let count = 0;
    let last = Number.NEGATIVE_INFINITY;
    // Whoever takes the question that is answered first, and then the next that was asked after that, takes most.
    for (const { asked, answered } of those.toSorted((a, b) => a.answered - b.answered)) {
      if (asked < last) continue;
      count += 1;
      last = answered;
    }
    return count;
  };
  return { host: longest('host'), s3: longest('s3') };
}
