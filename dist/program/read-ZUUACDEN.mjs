import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{parseCommandLine,shells}from"./chunk-C63LHAWV.mjs";import"./chunk-7RQUGVH5.mjs";import"./chunk-GQIZQGKJ.mjs";import"./chunk-HJVMOUGC.mjs";import"./chunk-N26VXKPV.mjs";import"./chunk-SZTWIGYK.mjs";import"./chunk-WVXR3IBH.mjs";import"./chunk-PPVGO4FB.mjs";import"./chunk-WV7T2FTI.mjs";export{parseCommandLine,shells};
