import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{parseCommandLine,shells}from"./chunk-OZAMHJZE.mjs";import"./chunk-BYACS2AL.mjs";import"./chunk-GQIZQGKJ.mjs";import"./chunk-J7ZWI7ZA.mjs";import"./chunk-N26VXKPV.mjs";import"./chunk-QNJD2KWR.mjs";import"./chunk-Z7LJPI7F.mjs";import"./chunk-PPVGO4FB.mjs";import"./chunk-WV7T2FTI.mjs";export{parseCommandLine,shells};
