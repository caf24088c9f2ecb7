import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{parseCommandLine,shells}from"./chunk-LRAC7ZA4.mjs";import"./chunk-LGKYXKHP.mjs";import"./chunk-GQIZQGKJ.mjs";import"./chunk-D6FRKJ7Z.mjs";import"./chunk-GZ62C3HN.mjs";import"./chunk-N26VXKPV.mjs";import"./chunk-UF4RQ4ZW.mjs";import"./chunk-723VPV7R.mjs";import"./chunk-RC26ITII.mjs";import"./chunk-PPVGO4FB.mjs";import"./chunk-CG47S3TU.mjs";import"./chunk-WV7T2FTI.mjs";export{parseCommandLine,shells};
