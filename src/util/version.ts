/** The version of this program: what `--version` prints and a receipt records. The same as in package.json. */
export const version = '0.1.0';

/** How this program signs what it writes. */
export const tool = { name: 'odoo-backup-action', version } as const;
