import { globSync } from 'node:fs';

/** A Debian package that the tests need, and a program that is there once it is installed. */
export interface Package {
  readonly name: string;
  /** In one of Debian's program folders, or a path in which `*` may stand for anything. */
  readonly program: string;
}

export const packages: readonly Package[] = [
  { name: 'postgresql', program: '/usr/lib/postgresql/*/bin/initdb' },
  // PostGIS for the version of the package above.
  { name: 'postgresql-postgis', program: '/usr/share/postgresql/*/extension/postgis.control' },
  { name: 'pgbouncer', program: 'pgbouncer' },
  { name: 'openssh-server', program: 'sshd' },
  { name: 'openssh-client', program: 'ssh-agent' },
  { name: 'jq', program: 'jq' },
  { name: 'age', program: 'age' },
  { name: 'zstd', program: 'zstd' },
  { name: 'unzip', program: 'unzip' },
  { name: 'zip', program: 'zip' },
  { name: 'p7zip-full', program: '7z' },
  { name: 'python3', program: 'python3' },
  { name: 'python3-psycopg2', program: '/usr/lib/python3/dist-packages/psycopg2/__init__.py' },
  { name: 'curl', program: 'curl' },
  { name: 'sudo', program: 'sudo' },
  { name: 'tcsh', program: 'tcsh' },
  { name: 'fish', program: 'fish' },
  { name: 'zsh', program: 'zsh' },
  { name: 'groff-base', program: 'groff' }, // the man page
  // The page of a run, as a browser shows it.
  { name: 'chromium', program: 'chromium' },
  { name: 'fonts-noto-color-emoji', program: '/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf' },
  { name: 'git', program: 'git' },
  { name: 'locales', program: '/usr/share/i18n/locales/fr_FR' }, // for a server that speaks French
  { name: 'rsync', program: 'rsync' }, // gitlab-ci-local's
];

/** For the tests on hosts with systemd, which only root can boot. */
export const hostPackages: readonly Package[] = [
  { name: 'debootstrap', program: 'debootstrap' },
  { name: 'debian-archive-keyring', program: '/usr/share/keyrings/debian-archive-keyring.gpg' },
  { name: 'systemd-container', program: 'systemd-nspawn' },
  { name: 'iproute2', program: 'ip' },
  { name: 'restic', program: 'restic' },
];

/**
 * For the benchmark: the one program of the script it compares with that the tests do without, and the simulated line.
 */
export const benchPackages: readonly Package[] = [
  // Debian's, or Amazon's own.
  { name: 'awscli', program: '/usr/{,local/}bin/aws' },
  { name: 'gcc', program: 'cc' },
  { name: 'libc6-dev', program: '/usr/include/stdio.h' },
  { name: 'iproute2', program: 'ip' },
  { name: 'restic', program: 'restic' },
];

/** Those that are not installed here. */
export function missingPackages(wanted: readonly Package[]): Package[] {
  const found = (program: string) =>
    globSync(program.startsWith('/') ? program : `/usr/{bin,sbin}/${program}`);
  return wanted.filter(({ program }) => found(program).length === 0);
}
