import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{openHost,openReconnectingHost}from"./chunk-HTZI6W32.mjs";import{ahead}from"./chunk-DBWSNWQW.mjs";import{__name}from"./chunk-WV7T2FTI.mjs";var lookingAtHost=__name((inputs,{platform,signal})=>ahead(async givenUp=>{let connecting=openHost(inputs.ssh,platform,AbortSignal.any([signal,givenUp]));connecting.catch(()=>{});let{lookAt}=await import("./look-VEL52SYU.mjs");return lookAt(await connecting,inputs,platform)}),"lookingAtHost"),loggingInForGood=__name((ssh,{platform,signal})=>ahead(givenUp=>openReconnectingHost(ssh,platform,AbortSignal.any([signal,givenUp]))),"loggingInForGood");export{lookingAtHost,loggingInForGood};
