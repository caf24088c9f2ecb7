import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{holderOf}from"./chunk-2WC5DT2H.mjs";import{__name}from"./chunk-WV7T2FTI.mjs";var ofRollback=__name(database=>({source:database,inPlace:!0,replace:!0,neutralize:!1,newUuid:!1,afterLoad:[],skipTables:[]}),"ofRollback"),requestOf=__name((inputs,asked,platform)=>({...asked,purpose:holderOf(asked.inPlace?"rollback":"restore",platform.run),dryRun:inputs.dryRun,keepPrevious:inputs.keepPrevious,dropSlots:inputs.dropSlots,code:inputs.code,keepSequences:inputs.keepSequences,salvage:inputs.salvage,encryptTo:inputs.encryptTo}),"requestOf");export{ofRollback,requestOf};
