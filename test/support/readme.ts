import { readFileSync } from 'node:fs';

/** The sudoers lines for the user that logs in, as README.md shows them. */
export function sudoersOfReadme(): string {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  return [...readme.matchAll(/^deploy ALL=.*$/gm)].map(([line]) => `${line}\n`).join('');
}
