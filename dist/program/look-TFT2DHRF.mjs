import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{lookAt}from"./chunk-DBZRCMGZ.mjs";import"./chunk-RDTOTJC6.mjs";import"./chunk-GR274HV2.mjs";import"./chunk-FKRUOBM6.mjs";import"./chunk-2N3W6FLQ.mjs";import"./chunk-VV2GRHU7.mjs";import"./chunk-IFP62BHQ.mjs";import"./chunk-6SZ22N4E.mjs";import"./chunk-LJN3SBEV.mjs";import"./chunk-A2NXOZP5.mjs";import"./chunk-QLIBBLPA.mjs";import"./chunk-D6FRKJ7Z.mjs";import"./chunk-RC26ITII.mjs";import"./chunk-PPVGO4FB.mjs";import"./chunk-WV7T2FTI.mjs";export{lookAt};
