import { CommandError, type Host } from '../../host/host.ts';
import { run } from '../../host/run.ts';
import { MOST, packageName, packageVersion } from './code.ts';

/** Debian's names are `odoo`, `odoo-19`; the image of Odoo has the package `odoo` in it as well. */
const LIST = `if command -v dpkg-query >/dev/null; then
    dpkg-query -W -f '\${db:Status-Status} \${Package} \${Version}\\n' 'odoo*' 'openerp*' 2>/dev/null
  elif command -v rpm >/dev/null; then
    rpm -qa --qf 'installed %{NAME} %{VERSION}-%{RELEASE}\\n' 'odoo*' 2>/dev/null
  fi; :`;

/** The installed packages that Odoo was installed by, with their versions. */
export async function findPackages(host: Host): Promise<Record<string, string>> {
  try {
    const lines = (await run(host, { argv: ['sh', '-c', LIST] }, { maxBytes: 100_000 })).split('\n');
    return Object.fromEntries(lines.flatMap(packageOf).slice(0, MOST));
  } catch (error) {
    if (error instanceof CommandError) return {}; // a container without a shell
    throw error;
  }
}

function packageOf(line: string): [string, string][] {
  const [state, name, version] = line.split(' ');
  if (state !== 'installed') return [];
  try {
    return [[packageName(name, 'package'), packageVersion(version, 'version')]];
  } catch {
    return [];
  }
}
