import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{__name}from"./chunk-WV7T2FTI.mjs";function variableOf(name){return`ODOO_BACKUP_${name.replaceAll("-","_").toUpperCase()}`}__name(variableOf,"variableOf");export{variableOf};
