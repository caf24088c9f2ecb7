import { writeFileSync } from 'node:fs';
import { htmlOf } from '../report/html.ts';
import { type Summary, withTexts } from '../report/summary.ts';
import { messageOf } from '../util/errors.ts';
import { withFailure } from './failure.ts';

/** Where a page goes, and what it must not show. */
export interface PageOptions {
  readonly path: string;
  /** What ran. */
  readonly heading: string;
  readonly mask: (text: string) => string;
  readonly warning: (message: string) => void;
}

/** The page of a run, written anew with all that is known whenever something is. */
export class ReportPage {
  readonly #options: PageOptions;
  #summaries: readonly Summary[] = [];

  constructor(options: PageOptions) {
    this.#options = options;
  }

  add(summary: Summary): void {
    this.#summaries = [...this.#summaries, summary];
    this.#write();
  }

  fail(failure: Summary): void {
    this.#summaries = withFailure(this.#summaries, failure);
    this.#write();
  }

  #write(): void {
    const { path, heading, mask, warning } = this.#options;
    try {
      writeFileSync(
        path,
        htmlOf(
          heading,
          this.#summaries.map((summary) => withTexts(summary, mask)),
        ),
      );
    } catch (error) {
      warning(`The report ${path} could not be written: ${messageOf(error)}`);
    }
  }
}
