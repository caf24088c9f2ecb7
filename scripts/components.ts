// The GitLab components in templates/, made from action.yml: `npm run docs` writes them.
import { stringify } from 'yaml';
import { type InputDefinition, type InputName, inputNamed } from '../src/inputs/table.ts';
import { inputsOf } from '../src/inputs/uses.ts';
import { variableOf } from '../src/platform/variables.ts';
import type { ActionFile } from './docs.ts';
import { readHome } from './repository.ts';

export const componentNames = ['backup', 'rehearse', 'rollback', 'gate', 'verify', 'prune'] as const;
export type ComponentName = (typeof componentNames)[number];

/** https://docs.gitlab.com/ci/inputs/#define-input-parameters-with-specinputs */
export interface SpecInput {
  readonly description: string;
  readonly type: 'string' | 'number' | 'boolean' | 'array';
  readonly default: string | number | boolean | readonly unknown[];
  readonly options?: readonly string[];
  /** Regular expression of RE2; the default has to match it as well. */
  readonly regex?: string;
}

/** Forms of texts that GitLab can check before a pipeline exists; an empty text is an input that is not given. */
const forms: Partial<Record<InputName, string>> = {
  'aws-region': '^[\\w-]*$',
  'aws-role-arn': '^(arn:[\\w:/+=,.@-]+)?$',
  'aws-role-duration': '^(\\d+h)?(\\d+m)?$',
  compression: '^(auto|\\d)?$',
  customer: '^[\\w.-]*$',
  'db-port': '^\\d*$',
  jobs: '^\\d*$',
  'keep-previous': '^(until-healthy|always|\\d+)?$',
  'keep-within': '^(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?$',
  'lock-days': '^\\d*$',
  // A password in it would be seen in every pipeline's configuration.
  'restore-test': '^(runner|host|\\$\\w+|postgres(ql)?://[^/@:]+(:\\$\\w+)?@[^@]+)?$',
  'max-age': '^(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?$',
  timeout: '^(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?$',
};

/** True or false, where neither is what it means to leave the input out. */
const undecided: readonly string[] = ['s3-path-style', 'neutralize', 'new-uuid'];

/** Shell commands for the host: what looks like a variable of the job is one of theirs. */
const literal: readonly string[] = [
  ...['stop-command', 'start-command', 'code-command'],
  ...['rehearse-command', 'rehearse-start'],
];

/** What the program reads and GitLab has to know before there is a job. */
const ofJob: readonly string[] = ['aws-audience'];

/**
 * Pipelines of the default branch, from which production is deployed: a backup of production for every push to any
 * branch would be too many. Deploys by tag have to say so.
 */
const ofDefaultBranch = { if: '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH' };
const notOfMergeRequest = { if: '$CI_PIPELINE_SOURCE == "merge_request_event"', when: 'never' };

/**
 * The stages that GitLab has by default, where a job is done before the next one's begin: the backup before the deploy,
 * and not beside it.
 */
const stages: Readonly<Record<ComponentName, string>> = {
  backup: 'test',
  rehearse: 'test',
  gate: 'test',
  verify: 'test',
  rollback: 'deploy',
  prune: 'deploy',
};

/**
 * The inputs of the program that a component takes: those that its command reads, in the order of action.yml. Secrets
 * are not inputs, for those can be read in every pipeline's configuration; known_hosts has several lines, which
 * GitLab's interpolation, a matter of text, would not leave valid. Both are CI/CD variables.
 */
export function programInputs(component: ComponentName): readonly InputDefinition[] {
  const unfit: readonly string[] = ['command', 'ssh-known-hosts', ...ofJob];
  return inputsOf(component).filter(({ name, secret }) => !secret && !unfit.includes(name));
}

/** Whether a flag that is not given means true. */
const isTrue = (input: InputDefinition): boolean => input.default === 'true';

/** One of the program's inputs as GitLab has it. */
export function specInput(input: InputDefinition, action: ActionFile): SpecInput {
  const { name, boolean, choices } = input;
  const { description = '', default: value = '' } = action.inputs[name] ?? {};
  if (boolean && !undecided.includes(name)) return { description, type: 'boolean', default: isTrue(input) };
  const words = boolean ? ['true', 'false'] : choices;
  const options = words && (value === '' ? ['', ...words] : [...words]);
  const regex = forms[name as InputName] ?? (/^\d+$/.test(input.default ?? '') ? '^\\d*$' : undefined);
  return {
    description,
    type: 'string',
    default: value,
    ...(options && { options }),
    ...(regex && { regex }),
  };
}

/** The inputs that are the job's own. */
export function jobInputs(component: ComponentName): Readonly<Record<string, SpecInput>> {
  const manual = component === 'rollback';
  const changesHost = component === 'rollback' || component === 'backup';
  const text = (description: string, value: string): SpecInput => ({
    description,
    type: 'string',
    default: value,
  });
  const list = (description: string, value: readonly unknown[]): SpecInput => ({
    description,
    type: 'array',
    default: value,
  });
  return {
    'job-name': text('The name of the job.', component),
    stage: text(
      'The stage of the job. A backup or a gate must be in a stage before that of the deploy.',
      stages[component],
    ),
    image: text(
      "The image of the job. It must contain Node 24 and git; for `verify: restore` with `restore-test: runner`, also PostgreSQL's server and client, unless `postgres-binaries-url` provides them.",
      'node:24',
    ),
    rules: list('The `rules` of the job: in which pipelines it runs.', [
      notOfMergeRequest,
      manual ? { ...ofDefaultBranch, when: 'manual', allow_failure: true } : ofDefaultBranch,
    ]),
    ...(manual && {
      needs: list(
        'The `needs` of the job: list the job that made the backup. Then the rollback can be started even if the deploy has failed.',
        [],
      ),
      confirmation: text(
        'The question that GitLab asks before the job starts.',
        'This replaces the database and the filestore by those of the backup. Continue?',
      ),
    }),
    'environment-name': text(
      'The GitLab environment whose variables the job gets. Protect it: only people who may deploy to it can then run this job.',
      'production',
    ),
    ...(changesHost && {
      'resource-group': text(
        'Jobs of one resource group never run at the same time: use the same one for the deploy.',
        'production',
      ),
    }),
    'job-timeout': text(
      'The time limit after which GitLab ends the job. It must be more than `timeout`.',
      '6h 30m',
    ),
    'aws-audience': text(
      'The audience of the ID token with which the job assumes `aws-role-arn`, as configured at the identity provider at AWS.',
      'https://gitlab.com',
    ),
    project: text(
      'The project on this GitLab from which the job fetches the program, at the commit of the component: the project of the component, or its mirror.',
      readHome().gitlabProject,
    ),
    'git-strategy': {
      ...text(
        'With `none`, the job fetches only `inventory` and `profiles` from the repository, if they are given, and `group_vars` and `host_vars` beside an inventory. With `fetch` or `clone`, it gets the whole repository.',
        'none',
      ),
      options: ['none', 'fetch', 'clone'],
    },
    program: text('The path of the program, `dist/main.js`, in the image. Then nothing is fetched.', ''),
  };
}

export function specInputs(
  component: ComponentName,
  action: ActionFile,
): Readonly<Record<string, SpecInput>> {
  const ofProgram = programInputs(component).map((input) => [input.name, specInput(input, action)]);
  return { ...jobInputs(component), ...Object.fromEntries(ofProgram) };
}

/** `templates/<component>/template.yml` */
export function componentTemplate(component: ComponentName, action: ActionFile): string {
  const spec = stringify(
    { spec: { component: ['sha'], inputs: specInputs(component, action) } },
    { lineWidth: 110, defaultStringType: 'PLAIN' },
  );
  const own = jobInputs(component);
  const has = (name: string, lines: string) => (name in own ? lines : '');
  const variables = programInputs(component).map(({ name }) =>
    literal.includes(name)
      ? `    ${variableOf(name)}:
      expand: false
      value: |-
        $[[ inputs.${name} ]]
`
      : `    ${variableOf(name)}: |-
      $[[ inputs.${name} ]]
`,
  );
  const flags = programInputs(component).filter(({ boolean, name }) => boolean && !undecided.includes(name));
  const unsetFlags = flags.map(
    (input) =>
      `      [ "$${variableOf(input.name)}" = ${!isTrue(input)} ] || unset ${variableOf(input.name)}\n`,
  );
  const comment = '      # The default is to leave it out: DRY_RUN, or a profile, counts then.\n';
  return `# Written from action.yml by \`npm run docs\`: change it there, or in scripts/components.ts.
${spec}---
"$[[ inputs.job-name ]]":
  stage: $[[ inputs.stage ]]
  image: $[[ inputs.image ]]
  rules: $[[ inputs.rules ]]
${has('needs', '  needs: $[[ inputs.needs ]]\n')}${has('confirmation', '  manual_confirmation: |-\n    $[[ inputs.confirmation ]]\n')}\
  environment:
    name: $[[ inputs.environment-name ]]
    action: ${component === 'rollback' ? 'start' : 'access'}
${has('resource-group', '  resource_group: $[[ inputs.resource-group ]]\n')}\
  timeout: $[[ inputs.job-timeout ]]
  interruptible: false
  id_tokens:
    AWS_ID_TOKEN:
      aud: $[[ inputs.aws-audience ]]
  variables:
    GIT_STRATEGY: $[[ inputs.git-strategy ]]
    COMPONENT_PROJECT: $[[ inputs.project ]]
    COMPONENT_PROGRAM: "$[[ inputs.program ]]"
    # Interpolation is a matter of text. As blocks, values may hold quotes, and what else means something in YAML.
${variables.join('')}\
  script:
    - |
      set -e
      folder=$(mktemp -d)
      trap 'rm -rf "$folder"' EXIT
      if [ -n "$AWS_ID_TOKEN" ] && [ -z "$AWS_WEB_IDENTITY_TOKEN_FILE" ]; then
        (umask 077 && printf %s "$AWS_ID_TOKEN" >"$folder/aws-id-token")
        export AWS_WEB_IDENTITY_TOKEN_FILE="$folder/aws-id-token"
      fi
      # One commit of a project, without its files. The token is asked for where the project is private, and is never on
      # a command line.
      fetch() {
        git init --quiet "$folder/$1"
        git -C "$folder/$1" config credential.helper \\
          '!f() { echo username=gitlab-ci-token; echo "password=$CI_JOB_TOKEN"; }; f'
        git -C "$folder/$1" remote add origin "$CI_SERVER_URL/$2.git"
        git -C "$folder/$1" fetch --quiet --depth 1 --filter=blob:none origin "$3"
      }
      if [ -z "$COMPONENT_PROGRAM" ]; then
        # The very commit of this file: nobody can put other code in its place.
        fetch component "$COMPONENT_PROJECT" "$[[ component.sha ]]"
        git -C "$folder/component" checkout --quiet FETCH_HEAD -- dist
        COMPONENT_PROGRAM="$folder/component/dist/main.js"
      fi
      if [ "$GIT_STRATEGY" = none ] && [ -n "$ODOO_BACKUP_INVENTORY$ODOO_BACKUP_PROFILES" ]; then
        # These files alone, and what stands beside an inventory.
        fetch files "$CI_PROJECT_PATH" "$CI_COMMIT_SHA"
        printf '%s\\n' "\${ODOO_BACKUP_INVENTORY#./}" "\${ODOO_BACKUP_PROFILES#./}" group_vars/ host_vars/ |
          git -C "$folder/files" sparse-checkout set --no-cone --stdin
        git -C "$folder/files" checkout --quiet FETCH_HEAD
        # Other paths are of the image, and profiles may be the YAML itself.
        found() { [ -f "$folder/files/$1" ] && printf '%s/' "$folder/files"; printf %s "$1"; }
        ODOO_BACKUP_INVENTORY=$(found "$ODOO_BACKUP_INVENTORY")
        ODOO_BACKUP_PROFILES=$(found "$ODOO_BACKUP_PROFILES")
      fi
${flags.length > 0 ? comment + unsetFlags.join('') : ''}\
      node "$COMPONENT_PROGRAM" ${component}
  artifacts:
    when: always
    access: developer
    expire_in: 30 days
    paths:
      - odoo-backup.html
      - odoo-backup.json
    reports:
      dotenv: odoo-backup.env
      annotations: odoo-backup-links.json
`;
}

/** The tables of README.md: what is the jobs' own, and what every component takes of the program's inputs. */
export function componentRows(action: ActionFile): {
  readonly own: readonly (readonly string[])[];
  readonly shared: readonly (readonly string[])[];
} {
  const written = (value: SpecInput['default']) =>
    value === '' ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
  const own = Object.keys({ ...jobInputs('backup'), ...jobInputs('rollback') }).map((name) => {
    const takers = componentNames.filter((component) => name in jobInputs(component));
    const specs = takers.map((component) => ({ component, spec: jobInputs(component)[name] as SpecInput }));
    const [first] = specs;
    const defaults = Map.groupBy(specs, ({ spec }) => written(spec.default));
    const fallback =
      defaults.size === 1
        ? written(first?.spec.default ?? '')
        : [...defaults]
            .map(([value, those]) => `${those.map(({ component }) => component).join(', ')}: ${value}`)
            .join('<br>');
    const only = takers.length < componentNames.length ? ` Only for ${takers.join(' and ')}.` : '';
    return [`\`${name}\``, first?.spec.type ?? '', fallback, `${first?.spec.description}${only}`];
  });
  const taken = componentNames.map((component) => new Set(programInputs(component).map(({ name }) => name)));
  const names = Object.keys(action.inputs).filter((name) => taken.some((each) => each.has(name)));
  const shared = names.map((name) => {
    const { type } = specInput(inputNamed(name) as InputDefinition, action);
    return [`\`${name}\``, type, ...taken.map((each) => (each.has(name) ? '✓' : ''))];
  });
  return { own, shared };
}
