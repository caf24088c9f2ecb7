import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{openHost,openReconnectingHost}from"./chunk-GUVAA7PE.mjs";import{ahead}from"./chunk-QPZNGEAR.mjs";import{__name}from"./chunk-WV7T2FTI.mjs";var loggingIn=__name((ssh,{platform,signal})=>ahead(givenUp=>openHost(ssh,platform,AbortSignal.any([signal,givenUp]))),"loggingIn"),loggingInForGood=__name((ssh,{platform,signal})=>ahead(givenUp=>openReconnectingHost(ssh,platform,AbortSignal.any([signal,givenUp]))),"loggingInForGood");export{loggingIn,loggingInForGood};
