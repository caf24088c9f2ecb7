def migrate(cr, version):
    cr.execute('UPDATE shop_ticket SET priority = 1')  # no such column
