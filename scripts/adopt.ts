// Makes the project somebody's: `npm run adopt -- OWNER/NAME [--gitlab GROUP/PROJECT]`. package.json gets the repository,
// and all that refers to it follows. Run again, it changes nothing; with another name, it moves the project there.
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { writeDocuments } from './docs.ts';
import { isProjectName, isRepositoryName, type PackageFile } from './repository.ts';

const usage = `Usage: npm run adopt -- OWNER/NAME [--gitlab GROUP/PROJECT]
OWNER/NAME is the repository at GitHub; --gitlab is needed where the project has another path at GitLab.`;

function asked(): { readonly repository: string; readonly gitlab?: string } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { gitlab: { type: 'string' } },
  });
  const [repository = '', ...rest] = positionals;
  if (!isRepositoryName(repository) || rest.length > 0) throw new Error(usage);
  if (values.gitlab === undefined || values.gitlab === repository) return { repository };
  if (!isProjectName(values.gitlab)) throw new Error(usage);
  return { repository, gitlab: values.gitlab };
}

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);

async function adopt(): Promise<void> {
  const { repository, gitlab } = asked();
  const page = `https://github.com/${repository}`;
  const { gitlab: _, ...before } = JSON.parse(await readFile(at('package.json'), 'utf8')) as PackageFile;
  const after = {
    ...before,
    homepage: `${page}#readme`,
    bugs: { url: `${page}/issues` },
    repository: { type: 'git', url: `git+${page}.git` },
    ...(gitlab && { gitlab }),
  };
  await writeFile(at('package.json'), `${JSON.stringify(after, undefined, 2)}\n`);
  const [owner] = repository.split('/');
  const owners = at('.github/CODEOWNERS');
  if (!existsSync(owners)) await writeFile(owners, `* @${owner}\n`);
  await writeDocuments();
  console.log(`This project is ${repository}${gitlab ? `, and ${gitlab} at GitLab` : ''}.
Look at \`git diff\`. .github/CODEOWNERS names @${owner}: an organisation puts a team there (@${owner}/team).
CONTRIBUTING.md has what is to be done once in web pages, under "Before the first release".`);
}

try {
  await adopt();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
