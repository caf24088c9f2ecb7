{
    'name': 'Tickets',
    'author': 'Shop',
    'version': '2.0',
    'depends': ['web'],
    'data': ['ticket.xml', 'ir.model.access.csv'],
    'license': 'LGPL-3',
}
