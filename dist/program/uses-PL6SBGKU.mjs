import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{inputsOf,refreshing,unusedWarnings}from"./chunk-27D7NR6F.mjs";import"./chunk-34AZ47PC.mjs";import"./chunk-NMRUO6AC.mjs";import"./chunk-SZCAU5BR.mjs";import"./chunk-QT352MSR.mjs";import"./chunk-A3ZAHSQM.mjs";import"./chunk-G5C2GOSV.mjs";import"./chunk-K3TCARYK.mjs";import"./chunk-CRKJTY75.mjs";import"./chunk-XZWEC3TF.mjs";import"./chunk-MPR5AGFO.mjs";import"./chunk-CV7MYJBH.mjs";import"./chunk-DWXRCTOX.mjs";import"./chunk-IFU7WKNF.mjs";import"./chunk-4ZOOFHRC.mjs";import"./chunk-QLIBBLPA.mjs";import"./chunk-GQIZQGKJ.mjs";import"./chunk-N26VXKPV.mjs";import"./chunk-SZTWIGYK.mjs";import"./chunk-WVXR3IBH.mjs";import"./chunk-PPVGO4FB.mjs";import"./chunk-I5XJ3NDC.mjs";import"./chunk-WV7T2FTI.mjs";export{inputsOf,refreshing,unusedWarnings};
