import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { RollbackScene } from './rollback-scene.ts';

/** The log of a run as a person on another host would have it: names and paths are those of a usual installation. */
export function transcriptOf(log: string, { scene, server, port }: RollbackScene): string {
  const { odoo, ssh, bucket, sandbox } = scene;
  const names: readonly (readonly [found: string | RegExp, usual: string])[] = [
    [server.stopCommand, '/etc/init.d/odoo stop'],
    [server.startCommand, '/etc/init.d/odoo start'],
    [odoo.conf, '/etc/odoo/odoo.conf'],
    [odoo.dataDir, '/var/lib/odoo/.local/share/Odoo'],
    [new RegExp(`${sandbox.folder}/ssh/tmp-\\w+`, 'g'), '/tmp'],
    [bucket, 'example-odoo-backups'],
    [odoo.database, 'shop'],
    [`${ssh.user}@${ssh.host}:${ssh.port}`, 'deploy@odoo.example.com:22'],
    [`${ssh.user}@${ssh.host}`, 'deploy@odoo.example.com'],
    [`127.0.0.1:${port}`, '127.0.0.1:8069'],
    [`port ${port}`, 'port 8069'],
    [/(?<= free in )\/\S*/g, '/'],
    [new RegExp(`(Filestore: .*, of|owned by) ${sandbox.account.name}\\b`, 'g'), '$1 odoo'],
  ];
  const usual = names.reduce((text, [found, name]) => text.replaceAll(found, name), log);
  const isProgress = (line: string) => / \(\d+ %\) · /.test(line);
  return usual
    .split('\n')
    .filter((line) => !isProgress(line))
    .join('\n');
}

/** What no two runs have in common, made the same: times, amounts, numbers of processes, words of other programs. */
export function comparable(transcript: string): string {
  return transcript
    .replaceAll(/\d{4}-\d\d-\d\d([ _])\d\d([-:])\d\d\2\d\d/g, 'DATE$1TIME')
    .replaceAll(/(?<=__(new|old)_)\d{14}/g, 'TIME')
    .replaceAll(/(just now|\d+ (second|minute|hour|day)s? ago)/g, 'AGO')
    .replaceAll(/\d+(\.\d+)? ([KMGT]i)?B\b/g, 'SIZE')
    .replaceAll(/\d+ min \d\d s|\d+(\.\d+)? m?s\b/g, 'DURATION')
    .replaceAll(/(?<=PostgreSQL )\d+(\.\d+)?/g, 'VERSION')
    .replaceAll(/SHA256:[A-Za-z0-9+/]{43}/g, 'FINGERPRINT')
    .replaceAll(/(?<=does not answer: ).*/g, 'REASON')
    .replaceAll(/(?<=connected now: ).*/g, 'SESSIONS');
}

/**
 * The transcript that is kept in test/golden. With UPDATE_GOLDEN=1 it becomes the given one, where that says something
 * else.
 */
export function golden(name: string, transcript: string): string {
  const file = new URL(`../golden/${name}.txt`, import.meta.url);
  const kept = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (process.env.UPDATE_GOLDEN !== '1' || comparable(kept) === comparable(transcript)) return kept;
  writeFileSync(file, transcript);
  return transcript;
}
