// Makes what a release publishes, into a folder, and publishes nothing:
//   npm run release -- --dry-run DIR       of the version that stands in package.json, released or not
//   npm run release -- --tag v1.2.3 DIR    the same for that tag, which has to be the version, with a date in CHANGELOG.md
// The folder gets the npm package, an SBOM, the notes and the checksums. `.github/workflows/release.yml` does the rest.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { version as ofProgram } from '../src/util/version.ts';
import { isAdopted, readHome } from './repository.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The section of a changelog about a version, without its heading. @throws Error where there is none, or it is empty */
export function notesOf(
  changelog: string,
  version: string,
): { readonly date: string; readonly notes: string } {
  for (const section of changelog.split(/^## /m).slice(1)) {
    const [heading = '', ...lines] = section.split('\n');
    const [, number, date = ''] = /^(\d+\.\d+\.\d+) \((.+)\)$/.exec(heading) ?? [];
    const notes = lines.join('\n').trim();
    if (number === version && notes !== '') return { date, notes };
  }
  throw new Error(`CHANGELOG.md says nothing under "## ${version} (date)"`);
}

/**
 * What does not agree about the version, or is missing for a release.
 *
 * @param tag of the release; undefined for a dry run
 * @param date that CHANGELOG.md has for the version
 * @param adopted whether package.json names an owner: without one there is no provenance
 */
export function disagreements(
  versions: Readonly<Record<string, string | undefined>>,
  tag: string | undefined,
  date: string,
  adopted: boolean,
): string[] {
  const [[, version] = []] = Object.entries(versions);
  const others = Object.entries(versions).filter(([, each]) => each !== version);
  const problems = others.map(
    ([where, each]) => `${where} has the version ${each}, and package.json ${version}`,
  );
  if (tag === undefined) return problems;
  if (tag !== `v${version}`) problems.push(`The tag ${tag} is not v${version}, the version in package.json`);
  if (!/^\d{4}-\d\d-\d\d$/.test(date))
    problems.push(`CHANGELOG.md has ${date} where the date of the release should be`);
  if (!adopted)
    problems.push('package.json names no owner: run `npm run adopt -- OWNER/NAME` once, and commit that');
  return problems;
}

/**
 * Packs `dist/` and what belongs to it for npm. It holds all it needs: who installs it, or runs it by npx, gets no other
 * package, and nothing of it runs while it is installed.
 */
function packageInto(folder: string): void {
  const whole = JSON.parse(read('package.json')) as { readonly files: readonly string[] };
  const {
    dependencies: _,
    devDependencies: __,
    scripts: ___,
    allowScripts: ____,
    ...published
  } = whole as Record<string, unknown>;
  const stage = mkdtempSync(join(tmpdir(), 'package-'));
  try {
    writeFileSync(join(stage, 'package.json'), `${JSON.stringify(published, undefined, 2)}\n`);
    for (const path of [...whole.files, 'README.md', 'LICENSE'])
      cpSync(join(root, path), join(stage, path), { recursive: true });
    npm(stage, 'pack', '--ignore-scripts', '--pack-destination', folder);
  } finally {
    rmSync(stage, { recursive: true });
  }
}

/** Every package that `dist/` may have something of, by the lock file. */
const sbom = (): string =>
  npm(
    root,
    'sbom',
    '--package-lock-only',
    '--omit=dev',
    '--sbom-format=cyclonedx',
    '--sbom-type=application',
  );

const npm = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });

/** As `sha256sum --check` reads it. */
const checksums = (folder: string): string =>
  readdirSync(folder)
    .filter((name) => /\.(tgz|json)$/.test(name))
    .map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex')}  ${name}\n`,
    )
    .join('');

function release(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'dry-run': { type: 'boolean' }, tag: { type: 'string' } },
  });
  const [given, ...rest] = positionals;
  if (!given || rest.length > 0 || Boolean(values['dry-run']) === Boolean(values.tag))
    throw new Error('Usage: npm run release -- (--dry-run | --tag v1.2.3) DIR');
  const folder = resolve(given);
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const { date, notes } = notesOf(read('CHANGELOG.md'), version);
  const locked = (JSON.parse(read('package-lock.json')) as { version?: string }).version;
  const versions = { 'package.json': version, 'package-lock.json': locked, 'src/util/version.ts': ofProgram };
  const problems = disagreements(versions, values.tag, date, isAdopted(readHome()));
  if (problems.length > 0) throw new Error(problems.join('\n'));
  // Byte by byte: what is published is what the source makes.
  execFileSync(process.execPath, [join(root, 'scripts/bundle.ts'), '--check'], { stdio: 'inherit' });
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0) throw new Error(`${folder} is not empty`);
  packageInto(folder);
  writeFileSync(join(folder, 'sbom.cdx.json'), sbom());
  writeFileSync(join(folder, 'SHA256SUMS'), checksums(folder));
  writeFileSync(join(folder, 'notes.md'), `${notes}\n`);
  console.log(`${version}, ${values.tag ? `for ${values.tag}` : 'a dry run'}: ${folder}`);
  console.log(
    readdirSync(folder)
      .map((name) => `  ${name}`)
      .join('\n'),
  );
}

if (import.meta.main) {
  try {
    release();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
