/** `ODOO_BACKUP_SSH_HOST` for `ssh-host`: the variable that gives an input outside GitHub. */
export function variableOf(name: string): string {
  return `ODOO_BACKUP_${name.replaceAll('-', '_').toUpperCase()}`;
}
