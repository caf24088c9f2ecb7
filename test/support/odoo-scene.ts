import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { documentedSudoers } from './documents.ts';
import { HostScene, openScene } from './host-scene.ts';
import type { RawInputs } from './inputs.ts';
import { type OdooHost, type OdooMajor, startOdooHost } from './odoo-host.ts';

/** How long Odoo may take to answer, on a machine that is busy with other things. */
const PATIENCE_MS = 300_000;

/** The user `admin`, as Odoo makes it. */
const ADMIN = 2;

/** What a person enters, or Odoo answers. */
type Values = Readonly<Record<string, unknown>>;

/** A host with a real Odoo, and a bucket: all of one test's own. */
export class OdooScene extends HostScene<OdooHost> {
  static async open(odoo: OdooMajor): Promise<OdooScene> {
    const parts = await openScene((sandbox) => startOdooHost(sandbox, odoo, documentedSudoers()));
    const scene = new OdooScene(parts);
    try {
      await scene.untilUp();
      return scene;
    } catch (error) {
      await scene[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Waits until Odoo serves the database. */
  async untilUp(): Promise<void> {
    for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(200)) {
      const answer = await fetch(`${this.host.url}/web/login`, { redirect: 'manual' }).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok) return;
      if (Date.now() > deadline) throw new Error(`Odoo is not up: ${await this.odooLog()}`);
    }
  }

  /** Calls a method of a model as admin, as a client of Odoo's does. */
  async call<T>(model: string, method: string, args: readonly unknown[], named: Values = {}): Promise<T> {
    const execute = [this.host.database, ADMIN, 'admin', model, method, args, named];
    const response = await fetch(`${this.host.url}/jsonrpc`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        method: 'call',
        id: 1,
        params: { service: 'object', method: 'execute_kw', args: execute },
      }),
    });
    const answer = (await response.json()) as { result?: T; error?: { data?: { debug?: string } } };
    if (answer.error) throw new Error(answer.error.data?.debug ?? JSON.stringify(answer.error));
    return answer.result as T;
  }

  /** Enters a record, and returns the values of it that were asked for. */
  async enter(model: string, values: Values, ...read: readonly string[]): Promise<Values> {
    const [id] = await this.call<number[]>(model, 'create', [[values]]);
    const [record] = await this.call<Values[]>(model, 'read', [[id], read]);
    return record ?? {};
  }

  /**
   * Imports a file of CSV as a person does in a list of the model: Odoo finds out which column is which field. Columns
   * that it knows no field for are left out.
   *
   * @returns the number of records
   */
  async import(model: string, csv: string): Promise<number> {
    // Before Odoo 15, the options and the method had other names.
    const execute = this.host.odoo < 15 ? 'do' : 'execute_import';
    const options = { has_headers: true, headers: true, separator: ',', quoting: '"', encoding: 'utf-8' };
    const [id] = await this.call<number[]>('base_import.import', 'create', [
      [{ res_model: model, file: csv, file_name: `${model}.csv`, file_type: 'text/csv' }],
    ]);
    const { headers, matches, error } = await this.call<{
      headers: readonly string[];
      matches: Readonly<Record<string, readonly string[]>>;
      error?: string;
    }>('base_import.import', 'parse_preview', [[id], options]);
    if (error !== undefined) throw new Error(`${model}: ${error}: ${csv}`);
    const fields = headers.map((_, i) => matches[i]?.join('/') ?? false);
    const { ids, messages } = await this.call<{
      ids: readonly number[] | false;
      messages: readonly unknown[];
    }>('base_import.import', execute, [[id], fields, headers, options]);
    if (!ids) throw new Error(`${model}: ${JSON.stringify(messages)}`);
    return ids.length;
  }

  /** The commit that is checked out, of the addon. */
  commit(): Promise<string> {
    return this.#git('rev-parse', 'HEAD');
  }

  /** Puts the code of a branch where nothing runs it yet. @returns inputs of a rehearsal with it */
  async rehearsalOf(branch: string): Promise<RawInputs> {
    const folder = `/opt/${branch}`;
    await this.shell(`install -d -o deploy -g deploy ${folder}
      runuser -u deploy -- git clone --quiet --no-hardlinks --branch ${branch} /srv/erp.git ${folder}`);
    const odoo = `exec odoo --addons-path=/usr/lib/python3/dist-packages/odoo/addons,${folder}`;
    return {
      'rehearse-command': `${odoo} --update ticket --stop-after-init --no-http`,
      'rehearse-start': odoo,
    };
  }

  /** What a deploy does: takes the code of a branch, and has Odoo update the addon's database. */
  async deploy(branch = 'main'): Promise<void> {
    await this.#git('fetch', '--quiet', 'origin');
    await this.#git('checkout', '--quiet', branch);
    await this.#git('merge', '--quiet', '--ff-only', `origin/${branch}`);
    await this.shell(`systemctl stop odoo
      runuser -u odoo -- odoo --config /etc/odoo/odoo.conf --logfile= --update ticket --stop-after-init --no-http \
        --max-cron-threads=0 --log-level=warn
      systemctl start odoo`);
    await this.untilUp();
  }

  /**
   * What else there might be of an Odoo beside the one in use: databases, filestores, processes, temporary files; and
   * since when that one runs. The last second that a guard has slept ends by itself, and what has ended waits for its
   * parent to see it.
   */
  async traces(): Promise<readonly string[]> {
    await this.untilQuiet();
    const lines =
      await this.shell(`runuser -u postgres -- psql -XqAtc 'SELECT datname FROM pg_database ORDER BY 1'
      find /var/lib/odoo -maxdepth 6 -path '*/filestore/*' -prune -print | sort
      pgrep -u odoo -a | grep -v -e ' sleep 1$' -e '<defunct>$' | sort; ls -A /tmp /var/tmp | grep -v systemd
      systemctl show --property=ExecMainStartTimestampMonotonic odoo`);
    return lines.split('\n');
  }

  /** The host is what it was, at the latest some seconds after a run. */
  async assertTraces(before: readonly string[]): Promise<void> {
    let now = await this.traces();
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(200)) {
      if (now.join('\n') === before.join('\n')) return;
      now = await this.traces();
    }
    assert.deepEqual(now, before);
  }

  /** The end of Odoo's log. */
  odooLog(): Promise<string> {
    return this.shell(
      'journalctl --no-pager -n 40 -u odoo; tail -n 40 /var/log/odoo/*.log 2>/dev/null || true',
    );
  }

  async #git(...words: readonly string[]): Promise<string> {
    const asDeploy = ['runuser', '-u', 'deploy', '--', 'git', '-C', this.host.checkout];
    return (await this.host.exec([...asDeploy, ...words])).trim();
  }
}
