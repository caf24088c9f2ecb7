import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{inputError,parseInputs}from"./chunk-N2ZWNGBG.mjs";import"./chunk-NMRUO6AC.mjs";import"./chunk-SZCAU5BR.mjs";import"./chunk-QSHWWRKO.mjs";import"./chunk-A3ZAHSQM.mjs";import"./chunk-ILSB73FB.mjs";import"./chunk-K3TCARYK.mjs";import"./chunk-CRKJTY75.mjs";import"./chunk-XZWEC3TF.mjs";import"./chunk-MPR5AGFO.mjs";import"./chunk-CV7MYJBH.mjs";import"./chunk-DWXRCTOX.mjs";import"./chunk-MG7F7B3S.mjs";import"./chunk-4ZOOFHRC.mjs";import"./chunk-QLIBBLPA.mjs";import"./chunk-GQIZQGKJ.mjs";import"./chunk-N26VXKPV.mjs";import"./chunk-SZTWIGYK.mjs";import"./chunk-WVXR3IBH.mjs";import"./chunk-PPVGO4FB.mjs";import"./chunk-I5XJ3NDC.mjs";import"./chunk-WV7T2FTI.mjs";export{inputError,parseInputs};
