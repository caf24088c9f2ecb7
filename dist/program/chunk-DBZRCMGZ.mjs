import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{findOdoo,openSite}from"./chunk-RDTOTJC6.mjs";import{__name}from"./chunk-WV7T2FTI.mjs";function lookAt(host,inputs,platform){let server=Promise.withResolvers(),site=openSite(host,inputs),secret=__name(password=>platform.secret(password),"secret"),odoo=site.then(found=>findOdoo(found,inputs.odoo,{secret,onServer:server.resolve}));odoo.catch(server.reject);for(let each of[site,server.promise,odoo])each.catch(()=>{});let end=__name(()=>Promise.resolve(host[Symbol.asyncDispose]()),"end");return{host,site,server:server.promise,odoo,[Symbol.asyncDispose]:end}}__name(lookAt,"lookAt");export{lookAt};
