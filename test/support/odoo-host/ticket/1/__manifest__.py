{
    'name': 'Tickets',
    'author': 'Shop',
    'version': '1.0',
    'depends': ['web'],
    'data': ['ticket.xml', 'ir.model.access.csv'],
    'license': 'LGPL-3',
}
