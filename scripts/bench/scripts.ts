// What people write today, step by step: run by bash as the page of benchmarks prints it.

/** A backup. */
export const backupScript = {
  pg_dump: 'ssh -F ssh_config odoo pg_dump -Fc $PG "$DATABASE" > "$DATABASE.dump"',
  tar: 'mkdir filestore; ssh -F ssh_config odoo tar -C "$FILESTORE" -cf - . | tar -C filestore -xf -',
  zip: 'zip -qr backup.zip "$DATABASE.dump" filestore',
  'aws s3 cp': 'aws s3 cp --only-show-errors --endpoint-url "$ENDPOINT" backup.zip "s3://$BUCKET/backup.zip"',
} as const;

/** What nobody can do without, over the same line: the dump, compressed as ours is on its way. */
export const dumpScript = {
  'pg_dump | zstd': 'ssh -F ssh_config odoo "pg_dump -Fc -Z0 $PG $DATABASE | zstd -q -1 -c" > /dev/null',
} as const;

/** What the line lets through: as many bytes as our backup took, and nothing else. */
export const lineScript = {
  ssh: 'ssh -F ssh_config odoo "head -c $BYTES /dev/zero" > /dev/null',
} as const;
/** Its name among those that are measured. */
export const SSH_ALONE = 'as many bytes by ssh';

/** From the host itself: over the long line it reaches S3, which is at this end, through the connection. */
export const resticScript = {
  'pg_dump | restic':
    'ssh -F ssh_config $FORWARD odoo "$RESTIC; pg_dump -Fc -Z0 $PG $DATABASE | restic backup -q --stdin --stdin-filename $DATABASE.dump"',
  'restic backup': 'ssh -F ssh_config $FORWARD odoo "$RESTIC; restic backup -q $FILESTORE"',
} as const;

/** A rollback. Odoo is away from the third step on. */
export const rollbackScript = {
  'aws s3 cp': 'aws s3 cp --only-show-errors --endpoint-url "$ENDPOINT" "s3://$BUCKET/$KEY" backup.zip',
  'copy and unzip':
    'ssh -F ssh_config odoo "rm -rf $WORK && mkdir $WORK && cat > $WORK/backup.zip" < backup.zip; ssh -F ssh_config odoo "cd $WORK && unzip -q backup.zip"',
  stop: 'ssh -F ssh_config odoo "$STOP"',
  'dropdb, createdb, pg_restore':
    'ssh -F ssh_config odoo "dropdb --force $PG $DATABASE && createdb $PG -T template0 -O odoo $DATABASE && pg_restore $PG -d $DATABASE $WORK/*.dump"',
  'replace the filestore': 'ssh -F ssh_config odoo "rm -rf $FILESTORE && mv $WORK/filestore $FILESTORE"',
  start: 'ssh -F ssh_config odoo "$START"',
} as const;
