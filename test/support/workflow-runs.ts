import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment, type Scene } from './backup-run.ts';
import { runWorkflow, type Start, type WorkflowRun } from './github-runner.ts';
import { startSts, startTokenService } from './sts.ts';

/** Runs the project's workflows, with the secrets of a scene. */
export class WorkflowRuns {
  readonly #scene: Scene;
  readonly #key: string;

  private constructor(scene: Scene, key: string) {
    this.#scene = scene;
    this.#key = key;
  }

  static async of(scene: Scene): Promise<WorkflowRuns> {
    return new WorkflowRuns(scene, await readFile(scene.sandbox.keys.plain, 'utf8'));
  }

  /** Runs one of those to copy. */
  run(name: string, more: Partial<Start> = {}): Promise<WorkflowRun> {
    return this.#run(`templates/github/${name}.yml`, { secrets: this.#ofHost(), ...more });
  }

  /** Calls one of the others, which get static keys for S3. */
  call(
    name: string,
    inputs: Readonly<Record<string, string | boolean>>,
    more: Partial<Start> = {},
  ): Promise<WorkflowRun> {
    return this.#run(`.github/workflows/${name}.yml`, { inputs, secrets: this.secrets(), ...more });
  }

  /** All that a called workflow may be given by `secrets: inherit`. */
  secrets(): Record<string, string> {
    const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = cleanEnvironment(this.#scene.sandbox.s3);
    return { ...this.#ofHost(), AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
  }

  #ofHost(): Record<string, string> {
    return { ODOO_SSH_KEY: this.#key, ODOO_KNOWN_HOSTS: this.#scene.ssh.knownHosts };
  }

  async #run(path: string, more: Partial<Start>): Promise<WorkflowRun> {
    const folder = await mkdtemp(join(tmpdir(), 'workflow-'));
    try {
      const { s3 } = this.#scene.sandbox;
      const { PATH = '', HOME = '' } = cleanEnvironment(s3);
      // The role of the workflows may do what the owner of the bucket may.
      await using github = await startTokenService();
      await using sts = await startSts(() => ({ ...s3, expiration: new Date(Date.now() + 3_600_000) }));
      const env = { PATH, HOME, AWS_ENDPOINT_URL_STS: sts.endpoint, AWS_EC2_METADATA_DISABLED: 'true' };
      return await runWorkflow(path, folder, { env, idToken: github.variables, ...more });
    } finally {
      await rm(folder, { recursive: true });
    }
  }
}

/** How each job of a run has ended. */
export const results = ({ jobs }: WorkflowRun): Record<string, string> =>
  Object.fromEntries(Object.entries(jobs).map(([id, { result }]) => [id, result]));
