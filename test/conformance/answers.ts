import { errorName, failure } from '../../src/s3/sdk-errors.ts';
import { messageOf, UserError } from '../../src/util/errors.ts';
import type { Answer } from './check.ts';

/** Whether the server refuses what it should refuse, with one of these HTTP statuses. */
export async function refusedBy(request: Promise<unknown>, ...statuses: readonly number[]): Promise<Answer> {
  try {
    await request;
    return { holds: false };
  } catch (error) {
    const answer = error instanceof UserError ? error.cause : error;
    const status = failure(answer).$metadata?.httpStatusCode;
    if (status !== undefined && statuses.includes(status)) return { holds: true };
    return { holds: false, detail: `${errorName(answer)}${status === undefined ? '' : `, HTTP ${status}`}` };
  }
}

/** What it throws means no, and is the reason. */
export async function answerOf(run: () => Promise<Answer>): Promise<Answer> {
  try {
    return await run();
  } catch (error) {
    return { holds: false, detail: messageOf(error) };
  }
}
