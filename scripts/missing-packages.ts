// Prints the Debian packages that the sandbox needs and this machine lacks, in one line; with --hosts also those for
// hosts with systemd, with --bench those for the benchmark.
import { benchPackages, hostPackages, missingPackages, packages } from '../test/support/packages.ts';

const also = { '--hosts': hostPackages, '--bench': benchPackages };
const wanted = Object.entries(also).flatMap(([option, list]) => (process.argv.includes(option) ? list : []));
console.log(
  missingPackages([...packages, ...wanted])
    .map(({ name }) => name)
    .join(' '),
);
