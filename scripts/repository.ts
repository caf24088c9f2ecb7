// Where this project lives. package.json's `repository` names it for everything else: README.md, docs/, the templates and
// the components take it from there by `npm run docs`. `npm run adopt` sets it.
import { readFileSync } from 'node:fs';

/** Stands for the owner as long as nobody has adopted the project. */
export const placeholder = 'OWNER';

/** The project's place on GitHub and on GitLab. */
export interface Home {
  /** The user or the organisation that owns the repository at GitHub. */
  readonly owner: string;
  /** `owner/name` at GitHub. */
  readonly repository: string;
  /** The path of the project at GitLab: `group/subgroup/name`. */
  readonly gitlabProject: string;
  /** The version, which examples name whole for GitLab, and by its major number for GitHub. */
  readonly version: string;
}

/** package.json, as far as it says where the project lives. */
export interface PackageFile {
  readonly version: string;
  readonly repository: { readonly type: 'git'; readonly url: string };
  /** Given where the project has another path at GitLab than at GitHub. */
  readonly gitlab?: string;
}

/** Reads the home of the project from package.json. @throws Error where that names no repository at GitHub */
export function readHome(): Home {
  const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return homeOf(JSON.parse(file) as PackageFile);
}

/** @throws Error where the package names no repository at GitHub */
export function homeOf({ version, repository, gitlab }: PackageFile): Home {
  const [, path = '', owner = ''] =
    /^git\+https:\/\/github\.com\/(([\w-]+)\/[\w.-]+)\.git$/.exec(repository.url) ?? [];
  if (path === '') throw new Error(`package.json: repository is no repository at GitHub: ${repository.url}`);
  return { owner, repository: path, gitlabProject: gitlab ?? path, version };
}

/** Whether somebody has adopted the project. */
export const isAdopted = ({ owner }: Home): boolean => owner !== placeholder;

const PATH = String.raw`[\w.-]+(?:\/[\w.-]+)+`;
const COMPONENTS = '(?:backup|rehearse|rollback|gate|verify|prune)';

/** How texts refer to this project at GitHub. Actions of others are pinned to a commit, and never to a tag. */
const atGitHub = [
  String.raw`(?<=\buses: )${PATH}?(?=(?:\/\.github\/workflows\/[\w-]+\.yml)?@v\d+(?![\w.]))`,
  String.raw`(?<=\x60)${PATH}(?=@v\d+\x60)`,
  String.raw`(?<=https:\/\/github\.com\/)[\w-]+\/[\w.-]+?(?=\.git\b|\/security\/advisories\/new\b|\/actions\/workflows\/)`,
  String.raw`(?<=--repo )[\w-]+\/[\w.-]+`,
];

/** How texts name its major tag. */
const majorTag = [
  String.raw`(?<=\buses: [\w.\/-]+@v)\d+(?![\w.])`,
  String.raw`(?<=\x60[\w.\/-]+@v)\d+(?=\x60)`,
  String.raw`(?<=--branch v)\d+(?= https:\/\/github\.com)`,
];

/** How texts refer to it at GitLab, where a version is named whole. */
const atGitLab = String.raw`(?<=\$CI_SERVER_FQDN\/)${PATH}(?=\/${COMPONENTS}@)`;
const componentVersion = String.raw`(?<=\$CI_SERVER_FQDN\/[\w.\/-]+\/${COMPONENTS}@)\d+\.\d+\.\d+`;

/** A text in which everything that refers to this project names its home, and its version. */
export function atHome(text: string, { repository, gitlabProject, version }: Home): string {
  return text
    .replaceAll(new RegExp(atGitHub.join('|'), 'g'), repository)
    .replaceAll(new RegExp(majorTag.join('|'), 'g'), version.replace(/\..*$/, ''))
    .replaceAll(new RegExp(atGitLab, 'g'), gitlabProject)
    .replaceAll(new RegExp(componentVersion, 'g'), version);
}

/** Whether GitHub allows the name `owner/name`: https://docs.github.com/rest/repos/repos */
export const isRepositoryName = (name: string): boolean =>
  /^(?!-)[A-Za-z\d-]{1,39}(?<!-)\/(?!\.{1,2}$)[\w.-]{1,100}(?<!\.git)$/.test(name) &&
  !name.startsWith(`${placeholder}/`);

/** Whether GitLab allows the path `group/project`: https://docs.gitlab.com/user/reserved_names/ */
export const isProjectName = (name: string): boolean => /^\w[\w.-]*(\/\w[\w.-]*)+$/.test(name);
