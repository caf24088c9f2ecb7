import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{CommandError}from"./chunk-D5TRTRIY.mjs";import{UserError}from"./chunk-QLIBBLPA.mjs";import{__name}from"./chunk-WV7T2FTI.mjs";var explaining=__name(words=>error=>{throw error instanceof CommandError?new UserError(...words(error),{cause:error}):error},"explaining");export{explaining};
