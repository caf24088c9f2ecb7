// Prints the Debian packages that the sandbox needs and this machine lacks, in one line.
import { missingPackages } from '../test/support/packages.ts';

console.log(
  missingPackages()
    .map(({ name }) => name)
    .join(' '),
);
