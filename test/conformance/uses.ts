import type { Finding } from './check.ts';

/** What this project does on a server, topic by topic, for people. */
export interface Uses {
  /** Whether a backup that the program calls verified is one. */
  readonly safe: boolean;
  readonly rows: readonly (readonly [topic: string, use: string])[];
}

export function usesOf(findings: readonly Finding[]): Uses {
  const holds = (id: string): boolean => {
    const found = findings.find((finding) => finding.id === id);
    if (!found) throw new Error(`There is no check ${id}`);
    return found.holds === true;
  };
  const proven = holds('part-md5') || holds('content-md5');
  const lacking = findings.filter(({ required, holds }) => required && !holds).map(({ id }) => id);
  if (!proven) lacking.push('part-md5 or content-md5');
  const safe = lacking.length === 0;
  const rows = [
    ['Backups', safe ? 'yes' : `NO: the server lacks ${lacking.join(', ')}`],
    ['Proof of what is sent', sent(holds)],
    ['Dumps and filestore', holds('part-gaps') ? 'sent at the same time' : 'sent one after another'],
    ['Incremental transfer', incremental(holds)],
    ['Protection against overwriting', overwriting(holds)],
    [
      'Leftovers of killed runs',
      holds('unfinished')
        ? 'removed by the next run'
        : 'not removed: set a lifecycle rule for incomplete uploads',
    ],
    ['Deletion', deletion(findings)],
    ['Object Lock', usable(findings, 'lock')],
    ['SSE-S3 (sse: AES256)', usable(findings, 'sse-s3')],
    ['Storage class STANDARD_IA', usable(findings, 'storage-class')],
  ] as const;
  return { safe, rows };
}

type Holds = (id: string) => boolean;

function sent(holds: Holds): string {
  if (holds('part-md5')) return 'the MD5 that the server reports for each part';
  if (holds('content-md5')) return 'the MD5 that is sent with each part, which the server checks';
  return 'NONE';
}

function incremental(holds: Holds): string {
  if (!['copy', 'copy-apart', 'part-sizes'].every(holds)) return 'no: every backup sends everything';
  return holds('copy-md5')
    ? 'yes, copies are proven by the MD5 that the server reports'
    : 'yes, copies are proven by reading them back';
}

function overwriting(holds: Holds): string {
  return holds('complete-if-none-match') && holds('put-if-none-match')
    ? 'by the server'
    : 'by a check before the upload; one backup of a database runs at a time';
}

function deletion(findings: readonly Finding[]): string {
  const { holds } = findings.find(({ id }) => id === 'versions') ?? {};
  if (holds === undefined) return 'not checked';
  return holds ? 'immediate, with all versions if the bucket keeps them' : 'immediate';
}

function usable(findings: readonly Finding[], id: string): string {
  const { holds, detail } = findings.find((finding) => finding.id === id) ?? {};
  if (holds === undefined) return `not checked${detail ? `: ${detail}` : ''}`;
  return holds ? 'yes' : 'no';
}
