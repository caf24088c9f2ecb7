import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
var version="0.1.0",tool={name:"odoo-backup-action",version};export{version,tool};
