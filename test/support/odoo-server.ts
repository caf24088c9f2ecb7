import { chmod, chown, copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Odoo } from './odoo.ts';
import { run } from './processes.ts';
import type { Sandbox } from './sandbox.ts';

/** What stands in for Odoo, on a host without systemd. Stopped when it is disposed of. */
export interface OdooServer extends AsyncDisposable {
  /** For the inputs of the same names. They answer once it is up, or down. */
  readonly stopCommand: string;
  readonly startCommand: string;
  /** What it found in database and filestore when it started; undefined: it does not answer. */
  state(): Promise<OdooState | undefined>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface OdooState {
  readonly users: number;
  readonly attachments: number;
  readonly files: number;
  readonly uuid: string;
}

const program = join(import.meta.dirname, 'systemd-host/odoo.py');

/** Starts Odoo's stand-in on an Odoo whose odoo.conf has `http_interface = 127.0.0.1` and this `http_port`. */
export async function startOdooServer(sandbox: Sandbox, odoo: Odoo, port: number): Promise<OdooServer> {
  const { account } = sandbox;
  const at = (name: string) => join(odoo.dataDir, name);
  await copyFile(program, at('odoo.py'));
  // As systemd does it: one at a time, and what runs is not started again. Of the login that starts it nothing may
  // stay: tests look for what is left.
  await writeFile(
    at('start'),
    `#!/bin/sh
cd '${odoo.dataDir}' || exit
exec 9>odoo.lock; flock 9
if kill -0 "$(cat odoo.pid 2>/dev/null)" 2>/dev/null; then exit 0; fi
: >odoo.log
env -u TMPDIR setsid /usr/bin/python3 odoo.py odoo.conf >>odoo.log 2>&1 </dev/null 9>&- &
echo $! >odoo.pid
while kill -0 "$(cat odoo.pid)" 2>/dev/null; do
  if grep -q '^HTTP service running' odoo.log; then exit 0; fi
  sleep 0.05
done
tail -n 1 odoo.log >&2
exit 1
`,
  );
  await writeFile(
    at('stop'),
    `#!/bin/sh
cd '${odoo.dataDir}' || exit
exec 9>odoo.lock; flock 9
pid=$(cat odoo.pid 2>/dev/null) || exit 0
kill "$pid" 2>/dev/null
while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
`,
  );
  for (const script of ['start', 'stop']) await chmod(at(script), 0o755);
  for (const each of ['odoo.py', 'start', 'stop']) await chown(at(each), account.uid, account.gid);
  const start = () => run([at('start')], { as: account }).then(() => {});
  const stop = () => run([at('stop')], { as: account }).then(() => {});
  await start();
  return {
    stopCommand: at('stop'),
    startCommand: at('start'),
    state: async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/state`).catch(() => undefined);
      return answer?.ok ? ((await answer.json()) as OdooState) : undefined;
    },
    start,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The end of its log, for messages of tests. */
export const odooLog = (odoo: Odoo): Promise<string> => readFile(join(odoo.dataDir, 'odoo.log'), 'utf8');
