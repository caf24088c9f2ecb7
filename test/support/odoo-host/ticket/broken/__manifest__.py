{
    'name': 'Tickets',
    'author': 'Shop',
    'version': '3.0',
    'depends': ['web'],
    'data': ['ticket.xml', 'ir.model.access.csv'],
    'license': 'LGPL-3',
}
