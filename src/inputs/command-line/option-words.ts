import descriptions from '../descriptions.json' with { type: 'json' };
import type { InputDefinition, InputName } from '../table.ts';

/** What the help says of an option in one line. */
export interface OptionWords {
  /** Name of its value, such as `USER@HOST`; empty for one that is true or false. */
  readonly value: string;
  /** What it is, in a few words without a full stop. */
  readonly brief: string;
}

/** The words of every input, in the order of the table. `docs/inputs.md` says more of each. */
const words: Readonly<Record<string, readonly [value: string, brief: string]>> = {
  'ssh-host': ['USER@HOST', 'the machine that runs Odoo'],
  'ssh-port': ['PORT', 'the port of its SSH server'],
  'ssh-user': ['USER', 'the user that logs in'],
  'ssh-key': ['FILE', 'the private key to log in with; default: the agent'],
  'ssh-key-passphrase': ['TEXT', 'the passphrase of the private key'],
  'ssh-known-hosts': ['FILE', "the known_hosts file with the host's keys"],
  'ssh-fingerprint': ['SHA256:…', "the fingerprint of the host's key"],
  'ssh-jump': ['HOSTS', 'jump hosts, in order'],
  sudo: ['WHEN', 'whether to use sudo on the host: auto, always or never'],

  database: ['NAME', 'the database'],
  'odoo-conf': ['PATH', 'the path of odoo.conf on the host'],
  filestore: ['PATH', 'true, false, or its path on the host'],
  inventory: ['FILE', 'an Ansible inventory in YAML, to take inputs from'],
  host: ['NAME', 'the host in the inventory'],
  limit: ['HOSTS', 'only these hosts of the inventory'],
  environment: ['NAME', 'the profile to take inputs from'],
  profiles: ['FILE', 'the inputs of each environment, in YAML'],
  'compose-project-directory': ['PATH', 'the folder of the Compose project on the host'],
  'compose-file': ['PATHS', 'its compose files on the host'],
  'compose-odoo-service': ['NAME', 'the Compose service that runs Odoo'],
  'compose-db-service': ['NAME', 'the Compose service that runs PostgreSQL'],

  'db-host': ['HOST', 'the PostgreSQL server as the host reaches it'],
  'db-port': ['PORT', 'its port'],
  'db-user': ['ROLE', 'the role that reads the database'],
  'db-password': ['TEXT', 'the password of that role'],
  'db-admin-user': ['ROLE', 'a role that may create databases and extensions'],
  jobs: ['COUNT', 'connections of pg_dump and pg_restore at once'],

  's3-bucket': ['BUCKET', 'the bucket'],
  's3-prefix': ['TEXT', 'the prefix of all keys'],
  customer: ['NAME', 'the customer: the next part of the key'],
  'aws-region': ['REGION', 'the region of the bucket'],
  'aws-role-arn': ['ARN', 'the role at AWS that the job assumes'],
  'aws-audience': ['TEXT', 'the audience of the ID token'],
  'aws-role-session-name': ['NAME', 'its name in CloudTrail'],
  'aws-role-duration': ['TIME', 'how long one session lasts'],
  's3-endpoint': ['URL', "an S3 server other than Amazon's"],
  's3-path-style': ['', 'the bucket goes into the path of URLs'],
  'storage-class': ['CLASS', 'the storage class of archives'],
  sse: ['KIND', 'server-side encryption: AES256 or aws:kms'],
  'kms-key-id': ['KEY', 'the KMS key for aws:kms'],
  'object-lock': ['MODE', 'lock new archives: governance or compliance'],
  'lock-days': ['DAYS', 'for how many days'],
  'catalog-page': ['', 'write a page of all databases beside the archives'],

  format: ['FORMAT', 'dual, odoo, custom, directory or plain'],
  compression: ['LEVEL', 'of the dump: auto, or 0 to 9'],
  incremental: ['', 'send only the files that the last backup lacks'],
  'full-every': ['DAYS', 'send everything again after this time'],
  'missing-files': ['WHAT', 'attachments that are missing: warn or fail'],
  'count-tables': ['TABLES', 'tables whose rows are counted'],
  verify: ['LEVEL', 'how deeply to verify: upload, contents or restore'],
  'restore-test': ['WHERE', 'where to test the restore'],
  'postgres-binaries-url': ['URL', 'an archive with PostgreSQL for the test'],

  backup: ['BACKUP', 'latest, or a key, a URI or the time of a key'],
  services: ['UNITS', 'the systemd units that run Odoo'],
  'stop-command': ['COMMAND', 'the shell command that stops Odoo'],
  'start-command': ['COMMAND', 'the shell command that starts it'],
  'code-command': ['COMMAND', 'the shell command that switches the code'],
  'code-user': ['USER', 'the account that runs code-command'],
  'require-same-code': ['', 'refuse a rollback if the code differs'],
  'keep-sequences': ['', 'never give out a number twice'],
  salvage: ['', 'store records entered since the backup as CSV'],
  'health-check': ['CHECK', 'how to check that Odoo is healthy'],
  'keep-previous': ['DAYS', 'how long to keep the replaced database'],
  'allow-unverified': ['', 'accept a backup without a receipt'],
  'drop-slots': ['', 'allow dropping logical replication slots'],
  'target-database': ['NAME', 'the database that a restore creates'],
  replace: ['', 'replace an existing target'],
  neutralize: ['', 'the copy sends no mail and runs no scheduled actions'],
  'new-uuid': ['', 'the copy gets a new database.uuid'],
  'after-load': ['FILES', 'SQL to run in the copy before it is used'],
  'skip-table-data': ['TABLES', 'tables whose rows the copy does not get'],

  'rehearse-command': ['COMMAND', 'the shell command of the migration'],
  'rehearse-user': ['USER', 'the account that runs it, and Odoo'],
  'rehearse-start': ['COMMAND', 'the shell command that starts Odoo on the copy'],
  'rehearse-image': ['IMAGE', 'the image to run in, in Compose'],
  'rehearse-checks': ['FILES', 'SQL that must return no row'],
  'checks-only': ['', 'only run the checks, on the database in use'],
  'rehearse-fail-on': ['LEVEL', 'what fails it: failure, error or warning'],

  output: ['FILE', 'the file to write; - is standard output'],
  member: ['NAME', 'only this file of the archive, such as dump.sql'],
  attachment: ['ID', 'only this attachment: its SHA-1 or id'],
  record: ['MODEL/ID', 'only the attachments of this record'],
  table: ['NAME', 'only this table of the dump, as SQL'],

  require: ['LEVEL', 'the level it needs: upload, contents or restore'],
  'max-age': ['TIME', 'the greatest age of the backup'],
  'max-shrink': ['PERCENT', 'how much it may be smaller than before'],
  'max-restore': ['TIME', 'how long the last measured restore may take'],

  pin: ['REASON', 'why no rule may delete the backup'],
  unpin: ['', 'let the rules decide about it again'],
  'accept-shrink': ['REASON', 'why it is right that it has less than before'],

  prune: ['', 'delete older backups that no rule keeps, after a backup'],
  'keep-last': ['COUNT', 'keep this many of the newest backups'],
  'keep-daily': ['COUNT', 'keep the newest of each of this many days'],
  'keep-weekly': ['COUNT', 'keep the newest of each of this many weeks'],
  'keep-monthly': ['COUNT', 'keep the newest of each of this many months'],
  'keep-yearly': ['COUNT', 'keep the newest of each of this many years'],
  'keep-within': ['TIME', 'keep all within this time before the newest'],
  'minimum-keep': ['COUNT', 'always keep at least this many'],
  timezone: ['ZONE', 'the time zone of days, such as Europe/Paris'],
  'prune-limit': ['PERCENT', 'the most that may be deleted at once'],
  'delete-versions': ['', 'also delete the versions of a deleted backup'],

  'encrypt-to': ['RECIPIENTS', 'the age recipients that a backup is encrypted for'],
  'decrypt-with': ['FILE', 'the age identity that decrypts a backup'],

  'signing-key': ['FILE', 'the private key that signs receipts'],
  'trusted-signers': ['FILE', 'whose backups count: lines of allowed_signers'],

  'dry-run': ['', 'check everything and change nothing'],
  timeout: ['TIME', 'the time limit of the run, such as 90m'],
  'ping-url': ['URL', 'a URL to notify when the run has ended'],
};

/** What the help says of an input: its own words, or else what action.yml says of it in its first sentence. */
export function wordsOf(input: InputDefinition): OptionWords {
  const [value, brief] = words[input.name] ?? [input.boolean ? '' : 'VALUE', firstSentence(input.name)];
  return { value: input.boolean ? '' : value, brief };
}

/** Whether an input has words of its own. */
export const hasWords = (name: InputName): boolean => name in words;

function firstSentence(name: string): string {
  const text = (descriptions as Readonly<Record<string, string>>)[name] ?? '';
  const [sentence = ''] = /^.*?(?=[.:;](\s|$))/s.exec(text.replaceAll('`', '')) ?? [text];
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
}
