import { quoted } from '../util/controls.ts';
import { ContentError } from '../util/errors.ts';

/** An archive of which nothing is taken, because of the entry of this name. */
export function refused(name: string, what: string): ContentError {
  return new ContentError(
    `The archive is not restored: ${quoted(name)} in it ${what}.`,
    'No backup program for Odoo writes such an archive. Find out where it comes from, or choose another backup.',
  );
}
