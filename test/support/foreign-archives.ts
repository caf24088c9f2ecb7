import type { Odoo } from './odoo.ts';
import { pythonZip } from './zips.ts';

/** What a zip is made of, besides Odoo's filestore. */
export interface Ingredients {
  /** Paths of files or folders by their names in the zip. */
  readonly files?: Readonly<Record<string, string>>;
  /** The folder that the filestore goes to; '' for none. */
  readonly filestore?: string;
  /** Files of the filestore that are left out. */
  readonly without?: readonly string[];
  /** Further lines in the way of `pythonZip`. */
  readonly script?: string;
}

/** A zip as other programs write it: `dump.sql`, `filestore/` and the like. */
export function zipOf(
  { filestore: folder }: Pick<Odoo, 'filestore'>,
  { files = {}, filestore = 'filestore', without = [], script = '' }: Ingredients,
): Promise<Buffer> {
  const trees = { ...files, ...(filestore === '' ? {} : { [filestore]: folder }) };
  return pythonZip(`def add(path, name):
    if os.path.isdir(path):
        for each in sorted(os.listdir(path)): add(os.path.join(path, each), os.path.join(name, each))
    elif name not in ${JSON.stringify(without.map((name) => `${filestore}/${name}`))}:
        z.write(path, name)
for name, path in ${JSON.stringify(trees)}.items(): add(path, name)
${script}`);
}
