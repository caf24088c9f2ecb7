import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{prune,pruneCatalog,prunedWords,versionNotes}from"./chunk-QXVZ2SLL.mjs";import"./chunk-5SLQYAVP.mjs";import"./chunk-YQCU6DUD.mjs";import"./chunk-CN6XEVVA.mjs";import"./chunk-A5NDEUVV.mjs";import"./chunk-PXQOPKGW.mjs";import"./chunk-ARHN2436.mjs";import"./chunk-BXL4HNTO.mjs";import"./chunk-MFZPIYIA.mjs";import"./chunk-UJ6I2WQF.mjs";import"./chunk-QLIBBLPA.mjs";import"./chunk-JBCK7DSU.mjs";import"./chunk-PPVGO4FB.mjs";import"./chunk-JZ5RX2RQ.mjs";import"./chunk-ZLFSR7JV.mjs";import"./chunk-I5XJ3NDC.mjs";import"./chunk-UMPFK2HW.mjs";import"./chunk-YVPTMQMY.mjs";import"./chunk-3I4V6LWZ.mjs";import"./chunk-3W4ZM7GP.mjs";import"./chunk-BCDV3KWI.mjs";import"./chunk-X6VNTWP4.mjs";import"./chunk-WV7T2FTI.mjs";export{prune,pruneCatalog,prunedWords,versionNotes};
