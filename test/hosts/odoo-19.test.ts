import { odooSuite } from '../support/odoo-suite.ts';

odooSuite(19);
