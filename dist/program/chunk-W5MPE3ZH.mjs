import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{require_node_util}from"./chunk-D6FRKJ7Z.mjs";import{__name,__toESM}from"./chunk-WV7T2FTI.mjs";var import_node_util=__toESM(require_node_util(),1);var log=(0,import_node_util.debuglog)("odoo-backup-questions");function asking(whom,what){if(!log.enabled)return()=>{};let began=performance.now(),isAnswered=!1;return()=>{isAnswered||(isAnswered=!0,log("%s %s %d %d",whom,what,began.toFixed(1),performance.now().toFixed(1)))}}__name(asking,"asking");export{asking};
