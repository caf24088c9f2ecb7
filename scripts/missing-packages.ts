// Prints the Debian packages of test/support/packages.ts whose programs are not on this machine, in one line.
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { packages } from '../test/support/packages.ts';

const folders = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'];

function isThere(program: string): boolean {
  const places = program.startsWith('/') ? [program] : folders.map((folder) => join(folder, program));
  return globSync(places).length > 0;
}

const missing = packages.filter(({ program }) => !isThere(program));
console.log(missing.map(({ name }) => name).join(' '));
