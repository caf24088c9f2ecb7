from odoo import fields, models


class Ticket(models.Model):
    _name = 'shop.ticket'
    _description = 'Ticket'

    def _next_name(self):
        return self.env['ir.sequence'].next_by_code('shop.ticket')

    name = fields.Char(required=True, copy=False, default=_next_name)
    subject = fields.Char(required=True)
    partner_id = fields.Many2one('res.partner', 'Customer')
    hours = fields.Float()
