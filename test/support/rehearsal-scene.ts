import { chmod, copyFile, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Ended, jsonOf } from './backup-run.ts';
import type { RawInputs } from './inputs.ts';
import { RollbackScene, type Snapshot, type Traces } from './rollback-scene.ts';
import { useSandbox } from './sandbox.ts';

/** An Odoo that runs, with a backup, and a program `odoo` on the host which starts its stand-in as Odoo is started. */
export interface RehearsalScene extends RollbackScene {
  /** State of the Odoo in use: no rehearsal changes it. */
  readonly inUse: Snapshot;
  readonly before: Traces;
  /** Lines that `odoo` logs before it starts. */
  logs(...lines: readonly string[]): Promise<void>;
  /** Runs a rehearsal to its end. */
  rehearse(inputs?: RawInputs): Promise<Rehearsed>;
  /** Copies that are on the host: their databases, and their filestores. */
  copies(): Promise<readonly string[]>;
}

export interface Rehearsed extends Ended {
  /** The output `json`. */
  readonly json: RehearsalResult;
}

/** What a test looks at of the output `json`. */
export interface RehearsalResult {
  readonly result: string;
  readonly migration: { readonly seconds: number; readonly warnings: number; readonly errors: number } | null;
  readonly boot: { readonly answer: string } | null;
  readonly checks: readonly { readonly name: string; readonly passed: boolean; readonly found: string }[];
  readonly warnings: number;
  readonly errors: number;
  readonly log: readonly { readonly level: string; readonly message: string }[];
  readonly lastLines: readonly string[];
}

/** A line as Odoo logs it. */
export const logLine = (level: string, message: string): string =>
  `2026-11-30 09:00:00,123 4711 ${level} shop odoo.modules.loading: ${message}`;

/** Inputs of a rollback that a rehearsal does not have. */
const unstopped: RawInputs = { 'stop-command': '', 'start-command': '', 'keep-previous': '' };

/** @param options of odoo.conf */
export async function openRehearsal(options: Readonly<Record<string, string>> = {}): Promise<RehearsalScene> {
  const folder = await mkdtemp(join(useSandbox().folder, 'bin-'));
  await chmod(folder, 0o755);
  await copyFile(join(import.meta.dirname, 'systemd-host/odoo.py'), join(folder, 'stand-in.py'));
  await writeFile(join(folder, 'lines'), '');
  const script = `#!/bin/sh
case $1 in
--version) echo 'Odoo Server 17.0-20261121'; exit ;;
--config | -c) conf=$2 ;;
*) exit 2 ;;
esac
cat '${folder}/lines' >&2
exec /usr/bin/python3 '${folder}/stand-in.py' "$conf"
`;
  await writeFile(join(folder, 'odoo'), script, { mode: 0o755 });
  await chmod(join(folder, 'stand-in.py'), 0o644);
  const scene = await RollbackScene.open(options, undefined, {
    sshEnv: { PATH: `${folder}:/usr/local/bin:/usr/bin:/bin` },
  });
  try {
    await scene.succeeds('backup');
    const inUse = await scene.snapshot();
    const before = await scene.traces();
    const more = {
      inUse,
      before,
      logs: (...lines: readonly string[]) =>
        writeFile(join(folder, 'lines'), lines.map((line) => `${line}\n`).join('')),
      async rehearse(inputs: RawInputs = {}): Promise<Rehearsed> {
        const ended = await scene.run('rehearse', { ...unstopped, ...inputs });
        const line = ended.stdout.split('\n').find((each) => each.startsWith('json=')) ?? 'json=null';
        return { ...ended, json: jsonOf({ stdout: line.slice('json='.length) }) };
      },
      async copies(): Promise<readonly string[]> {
        const query = `SELECT datname FROM pg_database WHERE datname ~ '^${scene.database}__rehearsal_'`;
        const databases = (await scene.sql(query, 'postgres')).split('\n').filter(Boolean);
        const folders = await readdir(dirname(scene.scene.odoo.filestore));
        return [...databases, ...folders.filter((name) => name.includes('__rehearsal_'))];
      },
    };
    return Object.assign(scene, more);
  } catch (error) {
    await scene[Symbol.asyncDispose]();
    throw error;
  }
}
