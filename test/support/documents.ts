import { globSync, readFileSync } from 'node:fs';
import { readDocuments } from '../../scripts/docs.ts';

const root = new URL('../../', import.meta.url);

/** The text of a file of this repository. */
export const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** Paths of files of this repository, from its root. */
export const paths = (pattern: string): string[] => globSync(pattern, { cwd: root });

/** README.md and its like, and docs/: texts by paths. */
export const documents = readDocuments();

/** The fenced blocks in one language, of all documents unless one is given. */
export function blocks(language: string, text = [...documents.values()].join('\n')): string[] {
  const found = text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'));
  return [...found].map(([, block = '']) => block);
}

/** The anchors of a document's headings, as GitHub makes them: of equal ones, the second ends in -1. */
export function anchors(text: string): string[] {
  const seen = new Map<string, number>();
  return [...text.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\s-]/gu, '')
      .replaceAll(' ', '-');
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
}

/** The sudoers lines for the user that logs in, as docs/hosts.md shows them. */
export function documentedSudoers(): string {
  return [...read('docs/hosts.md').matchAll(/^deploy ALL=.*$/gm)].map(([line]) => `${line}\n`).join('');
}
