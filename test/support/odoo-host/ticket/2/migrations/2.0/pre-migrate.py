def migrate(cr, version):
    cr.execute('ALTER TABLE shop_ticket ADD COLUMN minutes integer')
    cr.execute('UPDATE shop_ticket SET minutes = round(hours * 60)')
    cr.execute('ALTER TABLE shop_ticket DROP COLUMN hours')
