// Prints the Debian packages that the sandbox needs and this machine lacks, in one line; with --hosts also those for
// hosts with systemd.
import { hostPackages, missingPackages, packages } from '../test/support/packages.ts';

const wanted = process.argv.includes('--hosts') ? [...packages, ...hostPackages] : packages;
console.log(
  missingPackages(wanted)
    .map(({ name }) => name)
    .join(' '),
);
