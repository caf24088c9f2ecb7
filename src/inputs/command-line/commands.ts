import type { choices, InputName } from '../table.ts';

/** What the help says of one command. */
export interface CommandWords {
  /** One line for the list of commands, without a full stop. */
  readonly purpose: string;
  /** What it does and what it needs, in two or three sentences. */
  readonly about: string;
  /** The inputs that it cannot do without. */
  readonly required: readonly InputName[];
  /** The inputs that most people give it; the others are in the long help. */
  readonly common: readonly InputName[];
  /** A line that works, of the words that people have. */
  readonly example: string;
}

const ofTheBucket = ['s3-prefix', 'aws-region', 's3-endpoint'] as const;

export const commandWords: Readonly<Record<(typeof choices.command)[number], CommandWords>> = {
  backup: {
    purpose: 'back up a database and its filestore to S3, and verify the backup',
    about:
      'Streams the database and the filestore of a host over SSH into one standard Odoo zip in S3, and verifies it. The host needs no S3 credentials.',
    required: ['ssh-host', 's3-bucket', 'customer'],
    common: [
      'ssh-key',
      'ssh-known-hosts',
      'database',
      'odoo-conf',
      'filestore',
      ...ofTheBucket,
      'format',
      'verify',
      'prune',
      'dry-run',
    ],
    example:
      'odoo-backup backup --ssh-host deploy@odoo.example.com --s3-bucket backups --customer acme --database shop',
  },
  rollback: {
    purpose: 'restore a backup of the same database in place',
    about:
      'Builds the database and the filestore of a backup beside the existing ones, stops Odoo, swaps them, starts Odoo and checks it. If a step fails, everything is undone. Try it with --dry-run first.',
    required: ['ssh-host', 's3-bucket', 'customer', 'services'],
    common: [
      'backup',
      'database',
      'ssh-key',
      'ssh-known-hosts',
      'odoo-conf',
      ...ofTheBucket,
      'health-check',
      'keep-previous',
      'dry-run',
    ],
    example:
      'odoo-backup rollback --ssh-host deploy@odoo.example.com --services odoo --s3-bucket backups --customer acme --dry-run',
  },
  restore: {
    purpose: 'restore a backup into another database, or onto another host',
    about:
      'Creates a database from a backup, with a new UUID. The copy is neutralized: it sends no mail and runs no scheduled actions.',
    required: ['ssh-host', 's3-bucket', 'customer', 'target-database'],
    common: [
      'backup',
      'database',
      'ssh-key',
      'ssh-known-hosts',
      'odoo-conf',
      ...ofTheBucket,
      'replace',
      'neutralize',
      'new-uuid',
      'dry-run',
    ],
    example:
      'odoo-backup restore --ssh-host deploy@staging.example.com --s3-bucket backups --customer acme --target-database copy',
  },
  rehearse: {
    purpose: 'try a deploy on a copy of a backup',
    about:
      'Builds a neutralized copy of a backup beside the database in use, runs the command of your migration there, starts Odoo on it, runs your checks, and drops the copy. The Odoo in use is not touched.',
    required: ['ssh-host', 's3-bucket', 'customer'],
    common: [
      'rehearse-command',
      'rehearse-checks',
      'backup',
      'database',
      'services',
      'ssh-key',
      'ssh-known-hosts',
      'odoo-conf',
      ...ofTheBucket,
      'health-check',
      'dry-run',
    ],
    example:
      'odoo-backup rehearse --ssh-host deploy@odoo.example.com --s3-bucket backups --customer acme --rehearse-command /opt/odoo-next/update.sh',
  },
  verify: {
    purpose: 'read backups back and check them, or restore them as a test',
    about:
      'Reads every byte of a backup back and checks it, or restores it into a scratch database. The result is written into the receipt.',
    required: ['s3-bucket', 'customer'],
    common: ['backup', 'database', ...ofTheBucket, 'verify', 'restore-test'],
    example: 'odoo-backup verify --s3-bucket backups --customer acme --database shop --verify restore',
  },
  gate: {
    purpose: 'fail unless there is a recent, verified backup',
    about:
      'Lets a deploy continue only if there is a recent backup of the database that was verified deeply enough. It only reads from S3. If the gate is shut, the exit status is 3.',
    required: ['s3-bucket', 'customer', 'database'],
    common: ['require', 'max-age', 'backup', ...ofTheBucket, 'trusted-signers'],
    example:
      'odoo-backup gate --s3-bucket backups --customer acme --database shop --require contents --max-age 6h',
  },
  list: {
    purpose: 'show the backups, and what retention would do to each',
    about:
      'Shows the backups of one database, or of all databases of the customer: when each was made, how deeply it was verified, its size, and whether a rule keeps it.',
    required: ['s3-bucket', 'customer'],
    common: ['database', ...ofTheBucket, 'keep-last', 'trusted-signers'],
    example: 'odoo-backup list --s3-bucket backups --customer acme --database shop | less',
  },
  mark: {
    purpose: 'pin a backup, or accept one that has shrunk',
    about:
      'With --pin, no rule deletes this backup. With --accept-shrink, you confirm that it is right that the backup has less data than the ones before it. The reason is written into the receipt and signed.',
    required: ['s3-bucket', 'customer', 'database'],
    common: ['backup', 'pin', 'unpin', 'accept-shrink', 'signing-key', ...ofTheBucket],
    example: "odoo-backup mark --s3-bucket backups --customer acme --database shop --pin 'migration'",
  },
  prune: {
    purpose: 'delete the backups that no rule keeps',
    about:
      'Deletes the backups of one database that no rule keeps. Each receipt is deleted before its archive. Try it with --dry-run first.',
    required: ['s3-bucket', 'customer', 'database'],
    common: [
      'keep-last',
      'keep-daily',
      'keep-weekly',
      'keep-monthly',
      'keep-yearly',
      'keep-within',
      'minimum-keep',
      ...ofTheBucket,
      'dry-run',
    ],
    example: 'odoo-backup prune --s3-bucket backups --customer acme --database shop --keep-last 7 --dry-run',
  },
  hosts: {
    purpose: 'print the hosts of an Ansible inventory as a matrix of jobs',
    about: 'Reads a YAML inventory and prints one job for each host and database with Odoo.',
    required: ['inventory'],
    common: ['limit', 'environment', 'profiles'],
    example: "odoo-backup hosts --inventory hosts.yml --limit 'shops,!test' --json",
  },
  fetch: {
    purpose: 'download a backup, or one part of it',
    about:
      'Downloads a backup to a file on this machine; or only one file of it, one attachment, the attachments of a record, or one table as SQL.',
    required: ['s3-bucket', 'customer', 'output'],
    common: ['backup', 'database', 'member', 'attachment', 'record', 'table', 'replace', ...ofTheBucket],
    example: 'odoo-backup fetch --s3-bucket backups --customer acme --database shop --output shop.zip',
  },
  doctor: {
    purpose: 'check your setup, and say what is missing',
    about:
      'Checks everything that a backup and a rollback need, without changing anything, and prints a checklist with the lines to add.',
    required: ['ssh-host', 's3-bucket', 'customer'],
    common: [
      'database',
      'services',
      'ssh-key',
      'ssh-known-hosts',
      'odoo-conf',
      'db-admin-user',
      ...ofTheBucket,
    ],
    example:
      'odoo-backup doctor --ssh-host deploy@odoo.example.com --services odoo --s3-bucket backups --customer acme',
  },
};

/** What only a terminal has: no inputs. */
export const extraOptions = {
  json: { value: '', brief: 'print the result as JSON on standard output' },
  report: { value: 'FILE', brief: 'also write the result as an HTML page' },
  config: { value: 'FILE', brief: 'the file with inputs; default: odoo-backup.yml' },
} as const;
