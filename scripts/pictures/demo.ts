// What `npm run demo` prints, as it prints it, with names that say more than those of a sandbox.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TimedLine } from './terminal.ts';

const program = fileURLToPath(new URL('../demo.ts', import.meta.url));

/** Folders, ports, accounts and buckets of a sandbox, and what stands for them in a picture. */
const names: readonly (readonly [of: RegExp, shown: string])[] = [
  [/\/\S*?odoo-backup-\d+-\w+\/odoo\/shop\/odoo\.conf/g, '/etc/odoo/odoo.conf'],
  [/\/\S*?odoo-backup-\d+-\w+\/odoo\/shop/g, '/var/lib/odoo'],
  [/\/\S*?odoo-backup-\d+-\w+\/ssh\/client/g, '~/.ssh/id_ed25519'],
  [/\/\S*?odoo-backup-\d+-\w+\/known_hosts/g, '~/.ssh/known_hosts'],
  [/\/\S*?odoo-backup-\d+-\w+\/addons/g, '/opt/odoo/addons'],
  [/\/\S*?odoo-backup-\d+-\w+\/ssh\/tmp-\w+/g, '/var/tmp'],
  [/\/\S*?odoo-backup-\d+-\w+/g, '/srv/demo'],
  [/ in \/dev\/shm/g, ' in /var'],
  [/\w+@127\.0\.0\.1:\d+/g, 'deploy@odoo.example.com:22'],
  [/\w+@127\.0\.0\.1/g, 'deploy@odoo.example.com'],
  [/(--ssh-port|db_port =) \d+/g, '$1 22'],
  [/http:\/\/127\.0\.0\.1:\d+/g, 'http://127.0.0.1:8069'],
  [/port \d{4,5}/g, 'port 8069'],
  [/backups-[0-9a-f]{12}/g, 'example-odoo-backups'],
  [/, read as postgres|, of postgres/g, ''],
];

/** Runs the demo. @throws Error when it fails, or when it shows a name of this machine */
export async function recordDemo(): Promise<TimedLine[]> {
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, FORCE_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const started = performance.now();
  const lines: TimedLine[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const text = names.reduce((shown, [of, name]) => shown.replaceAll(of, name), line);
    lines.push({ at: (performance.now() - started) / 1000, text });
  }
  const [code] = await closed;
  if (code !== 0) throw new Error(`The demo ended with exit code ${code}`);
  const left = lines.find(({ text }) => /(?<!\/var)\/(dev\/shm|tmp|root|home)\b/.test(text));
  if (left) throw new Error(`A path of this machine would be shown: ${left.text}`);
  return lines;
}

/** The lines from one heading of the demo until another. @throws Error when it has no such heading */
export function chapters(lines: readonly TimedLine[], from: string, until: string): readonly TimedLine[] {
  const [start, end] = [from, until].map((title) => lines.findIndex(({ text }) => isHeading(text, title)));
  if (start === undefined || end === undefined || start < 0 || end <= start) {
    throw new Error(`The demo has no chapters from "${from}" until "${until}"`);
  }
  return lines.slice(start, end);
}

const isHeading = (text: string, title: string): boolean =>
  text.includes('── ') && text.includes(`. ${title} ──`);
