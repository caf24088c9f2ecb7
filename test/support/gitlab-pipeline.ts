import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { compileCache } from './compile-cache.ts';
import { run } from './processes.ts';
import { programModule } from './program-folder.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const gitlabCiLocal = join(root, 'node_modules/.bin/gitlab-ci-local');

/** The path of the project that holds the components, on the server of the pipeline. */
export const project = 'acme/odoo-backup-action';

/** The address of a component, as `include` takes it. */
export const component = (name: string): string => `$CI_SERVER_FQDN/${project}/${name}@$CI_COMMIT_SHA`;

export interface PipelineRun {
  readonly exitCode: number | null;
  readonly log: string;
}

/**
 * A project on a GitLab of its own, as far as gitlab-ci-local can be one: jobs run in the shell, and the components of
 * the working tree come from the server as a commit.
 */
export class Pipeline implements AsyncDisposable {
  readonly folder: string;
  readonly #variables: Readonly<Record<string, string>>;
  /** Its configuration has been compared with GitLab's schema. */
  #isChecked = false;

  private constructor(folder: string, variables: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.#variables = variables;
  }

  /**
   * @param configuration the project's .gitlab-ci.yml
   * @param variables of the project
   * @param files further ones of the project, by their paths. Jobs that fetch nothing find others in their place: what
   *   the job before them has left there.
   * @param inPlace whether these files are `kept` for jobs that fetch the repository
   */
  static async open(
    configuration: unknown,
    variables: Readonly<Record<string, string>>,
    files: Readonly<Record<string, string>> = {},
    inPlace: 'left over' | 'kept' = 'left over',
  ): Promise<Pipeline> {
    const folder = await mkdtemp(join(tmpdir(), 'pipeline-'));
    const pipeline = new Pipeline(folder, variables);
    const at = (path: string) => join(pipeline.work, path);
    await cp(join(root, 'templates'), at('templates'), { recursive: true });
    await mkdir(at('dist'));
    // In place of the bundle, which .ci/run compares with what it is made from.
    await writeFile(at('dist/main.js'), `await (await import(${JSON.stringify(programModule)})).start();\n`);
    await writeFile(at('package.json'), '{ "type": "module" }\n');
    await writeFile(at('.gitlab-ci.yml'), stringify(configuration));
    const write = async (path: string, text: string) => {
      await mkdir(dirname(at(path)), { recursive: true });
      await writeFile(at(path), text);
    };
    for (const [path, text] of Object.entries(files)) await write(path, text);
    await pipeline.#git('init', '--quiet', '--initial-branch=main');
    await pipeline.#git('remote', 'add', 'origin', `https://gitlab.example.com/${project}.git`);
    await pipeline.#git('config', 'user.name', 'Ann');
    await pipeline.#git('config', 'user.email', 'ann@example.com');
    await pipeline.#git('add', '.');
    await pipeline.#git('commit', '--quiet', '--message', 'x');
    const served = join(folder, 'server', `${project}.git`);
    await mkdir(dirname(served), { recursive: true });
    await pipeline.#git('clone', '--quiet', '--bare', '.', served);
    await run(['git', '-C', served, 'config', 'uploadpack.allowFilter', 'true']);
    if (inPlace === 'left over') for (const path of Object.keys(files)) await write(path, inPlace);
    return pipeline;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.folder, { recursive: true });
  }

  get work(): string {
    return join(this.folder, 'work');
  }

  /** Runs the pipeline, or the jobs given. */
  async run(...jobs: readonly string[]): Promise<PipelineRun> {
    const predefined = { GITLAB_CI: 'true', CI_SERVER_URL: `file://${join(this.folder, 'server')}` };
    const variables = Object.entries({ ...this.#variables, ...predefined }).flatMap(([name, value]) => [
      '--variable',
      `${name}=${value}`,
    ]);
    const options = ['--force-shell-executor', '--shell-isolation', '--color=false'];
    // Once a pipeline: it takes half of the time of a start.
    if (this.#isChecked) options.push('--no-json-schema-validation');
    this.#isChecked = true;
    const child = spawn(process.execPath, [gitlabCiLocal, ...options, ...variables, ...jobs], {
      cwd: this.work,
      env: {
        PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
        HOME: this.folder,
        NODE_COMPILE_CACHE: compileCache,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exit = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    });
    const [out, err, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
    return { exitCode, log: out + err };
  }

  /** The text of an artifact. */
  artifact(job: string, path: string): Promise<string> {
    return readFile(join(this.work, '.gitlab-ci-local/artifacts', job, path), 'utf8');
  }

  async #git(...args: readonly string[]): Promise<void> {
    await mkdir(this.work, { recursive: true });
    await run(['git', '-C', this.work, ...args]);
  }
}
