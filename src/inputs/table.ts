import { levels } from '../catalog/proofs.ts';

/** One input: its name on every platform, and what the command line, the help and the documentation say of it. */
export interface InputDefinition {
  readonly name: string;
  readonly group: InputGroup;
  /** What an input that is not given means, as action.yml has it. */
  readonly default?: string;
  /** The environment variables that stand in for an input that is not given; the first one set counts. */
  readonly environment?: readonly string[];
  /** The only values allowed. */
  readonly choices?: readonly string[];
  /** Never printed, and refused on a command line, where everybody on the machine can read it. */
  readonly secret?: true;
  /** `true` or `false`; on a command line the name alone means `true`. */
  readonly boolean?: true;
  /** Belongs to one run: no inventory and no profile can set it. */
  readonly ofRun?: true;
}

export const inputGroups = {
  connection: 'Connection',
  what: 'What to do, and to which Odoo',
  postgresql: 'PostgreSQL',
  s3: 'S3',
  backup: 'Backup',
  restore: 'Rollback and restore',
  rehearsal: 'Rehearsal',
  fetch: 'Fetch',
  gate: 'Gate',
  mark: 'Marks',
  retention: 'Retention',
  encryption: 'Encryption',
  signatures: 'Signatures',
  everywhere: 'Everywhere',
} as const;
export type InputGroup = keyof typeof inputGroups;

/** The values of the inputs that take one of a few words: the parser's types come from here. */
export const choices = {
  command: [
    'backup',
    'rollback',
    'restore',
    'rehearse',
    'verify',
    'gate',
    'list',
    'mark',
    'prune',
    'hosts',
    'fetch',
    'doctor',
  ],
  sudo: ['auto', 'always', 'never'],
  sse: ['AES256', 'aws:kms'],
  format: ['dual', 'odoo', 'custom', 'directory', 'plain'],
  'missing-files': ['warn', 'fail'],
  'object-lock': ['governance', 'compliance'],
  verify: levels,
  require: levels,
  'rehearse-fail-on': ['failure', 'error', 'warning'],
} as const;

/** Every input, in the order of action.yml and of docs/inputs.md. */
export const inputTable = [
  { name: 'ssh-host', group: 'connection' },
  { name: 'ssh-port', group: 'connection', default: '22' },
  { name: 'ssh-user', group: 'connection' },
  { name: 'ssh-key', group: 'connection', secret: true },
  { name: 'ssh-key-passphrase', group: 'connection', secret: true },
  { name: 'ssh-known-hosts', group: 'connection' },
  { name: 'ssh-fingerprint', group: 'connection' },
  { name: 'ssh-jump', group: 'connection' },
  { name: 'sudo', group: 'connection', default: 'auto', choices: choices.sudo },

  { name: 'command', group: 'what', default: 'backup', choices: choices.command, ofRun: true },
  { name: 'database', group: 'what' },
  { name: 'odoo-conf', group: 'what' },
  { name: 'filestore', group: 'what', default: 'true' },
  { name: 'inventory', group: 'what', ofRun: true },
  { name: 'host', group: 'what', ofRun: true },
  { name: 'limit', group: 'what', ofRun: true },
  { name: 'environment', group: 'what' },
  { name: 'profiles', group: 'what' },
  { name: 'compose-project-directory', group: 'what' },
  { name: 'compose-file', group: 'what' },
  { name: 'compose-odoo-service', group: 'what' },
  { name: 'compose-db-service', group: 'what' },

  { name: 'db-host', group: 'postgresql' },
  { name: 'db-port', group: 'postgresql' },
  { name: 'db-user', group: 'postgresql' },
  { name: 'db-password', group: 'postgresql', secret: true },
  { name: 'db-admin-user', group: 'postgresql' },
  { name: 'jobs', group: 'postgresql' },

  { name: 's3-bucket', group: 's3', environment: ['S3_BUCKET'] },
  { name: 's3-prefix', group: 's3' },
  { name: 'customer', group: 's3', environment: ['CI_PROJECT_NAME'] },
  { name: 'aws-region', group: 's3', environment: ['AWS_REGION', 'AWS_DEFAULT_REGION'] },
  { name: 'aws-role-arn', group: 's3' },
  { name: 'aws-audience', group: 's3', default: 'sts.amazonaws.com' },
  { name: 'aws-role-session-name', group: 's3', default: 'odoo-backup' },
  { name: 'aws-role-duration', group: 's3', default: '1h' },
  { name: 's3-endpoint', group: 's3', environment: ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'] },
  { name: 's3-path-style', group: 's3', boolean: true },
  { name: 'storage-class', group: 's3' },
  { name: 'sse', group: 's3', choices: choices.sse },
  { name: 'kms-key-id', group: 's3' },
  { name: 'object-lock', group: 's3', choices: choices['object-lock'] },
  { name: 'lock-days', group: 's3' },
  { name: 'catalog-page', group: 's3', boolean: true },

  { name: 'format', group: 'backup', default: 'dual', choices: choices.format },
  { name: 'compression', group: 'backup', default: 'auto' },
  { name: 'incremental', group: 'backup', default: 'true', boolean: true },
  { name: 'full-every', group: 'backup', default: '30d' },
  { name: 'missing-files', group: 'backup', default: 'warn', choices: choices['missing-files'] },
  { name: 'count-tables', group: 'backup', default: 'core' },
  { name: 'verify', group: 'backup', choices: choices.verify },
  { name: 'restore-test', group: 'backup', default: 'runner' },
  { name: 'postgres-binaries-url', group: 'backup' },

  { name: 'backup', group: 'restore', default: 'latest', ofRun: true },
  { name: 'services', group: 'restore' },
  { name: 'stop-command', group: 'restore' },
  { name: 'start-command', group: 'restore' },
  { name: 'code-command', group: 'restore' },
  { name: 'code-user', group: 'restore' },
  { name: 'require-same-code', group: 'restore', boolean: true },
  { name: 'keep-sequences', group: 'restore', boolean: true },
  { name: 'salvage', group: 'restore', boolean: true },
  { name: 'health-check', group: 'restore', default: 'odoo within 2m' },
  { name: 'keep-previous', group: 'restore', default: '3' },
  { name: 'allow-unverified', group: 'restore', boolean: true, ofRun: true },
  { name: 'drop-slots', group: 'restore', boolean: true, ofRun: true },
  { name: 'target-database', group: 'restore', ofRun: true },
  { name: 'replace', group: 'restore', boolean: true, ofRun: true },
  { name: 'neutralize', group: 'restore', boolean: true, ofRun: true },
  { name: 'new-uuid', group: 'restore', boolean: true, ofRun: true },
  { name: 'after-load', group: 'restore', ofRun: true },
  { name: 'skip-table-data', group: 'restore', ofRun: true },

  { name: 'rehearse-command', group: 'rehearsal' },
  { name: 'rehearse-user', group: 'rehearsal' },
  { name: 'rehearse-start', group: 'rehearsal' },
  { name: 'rehearse-image', group: 'rehearsal' },
  { name: 'rehearse-checks', group: 'rehearsal', ofRun: true },
  { name: 'checks-only', group: 'rehearsal', boolean: true, ofRun: true },
  {
    name: 'rehearse-fail-on',
    group: 'rehearsal',
    default: 'error',
    choices: choices['rehearse-fail-on'],
  },

  { name: 'output', group: 'fetch', ofRun: true },
  { name: 'member', group: 'fetch', ofRun: true },
  { name: 'attachment', group: 'fetch', ofRun: true },
  { name: 'record', group: 'fetch', ofRun: true },
  { name: 'table', group: 'fetch', ofRun: true },

  { name: 'require', group: 'gate', default: 'upload', choices: choices.require },
  { name: 'max-age', group: 'gate', default: '26h' },
  { name: 'max-restore', group: 'gate' },
  { name: 'max-shrink', group: 'gate', default: '30' },

  { name: 'pin', group: 'mark', ofRun: true },
  { name: 'unpin', group: 'mark', boolean: true, ofRun: true },
  { name: 'accept-shrink', group: 'mark', ofRun: true },

  { name: 'prune', group: 'retention', boolean: true },
  { name: 'keep-last', group: 'retention', default: '14' },
  { name: 'keep-daily', group: 'retention', default: '7' },
  { name: 'keep-weekly', group: 'retention', default: '4' },
  { name: 'keep-monthly', group: 'retention', default: '3' },
  { name: 'keep-yearly', group: 'retention', default: '0' },
  { name: 'keep-within', group: 'retention' },
  { name: 'minimum-keep', group: 'retention', default: '3' },
  { name: 'timezone', group: 'retention', default: 'UTC' },
  { name: 'prune-limit', group: 'retention', default: '50' },
  { name: 'delete-versions', group: 'retention', boolean: true },

  { name: 'encrypt-to', group: 'encryption' },
  { name: 'decrypt-with', group: 'encryption', secret: true, ofRun: true },

  { name: 'signing-key', group: 'signatures', secret: true },
  { name: 'trusted-signers', group: 'signatures' },

  { name: 'dry-run', group: 'everywhere', boolean: true, ofRun: true },
  { name: 'timeout', group: 'everywhere', default: '6h' },
  { name: 'ping-url', group: 'everywhere', secret: true },
] as const satisfies readonly InputDefinition[];

export type InputName = (typeof inputTable)[number]['name'];

/** Looks an input up by its name; undefined where there is none of that name. */
export function inputNamed(name: string): InputDefinition | undefined {
  return inputTable.find((input) => input.name === name);
}
