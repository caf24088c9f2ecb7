import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{prune,pruneCatalog,prunedWords,versionNotes}from"./chunk-W2CDAGPD.mjs";import"./chunk-YFHQKTVY.mjs";import"./chunk-HGJRZ27T.mjs";import"./chunk-PYKJC5IU.mjs";import"./chunk-ZLFSR7JV.mjs";import"./chunk-I5XJ3NDC.mjs";import"./chunk-YF36AWXQ.mjs";import"./chunk-HRCCOMZW.mjs";import"./chunk-3I4V6LWZ.mjs";import"./chunk-3W4ZM7GP.mjs";import"./chunk-BCDV3KWI.mjs";import"./chunk-PXQOPKGW.mjs";import"./chunk-UJ6I2WQF.mjs";import"./chunk-DRVGNGIZ.mjs";import"./chunk-BXL4HNTO.mjs";import"./chunk-QLIBBLPA.mjs";import"./chunk-PPVGO4FB.mjs";import"./chunk-JZ5RX2RQ.mjs";import"./chunk-YVPTMQMY.mjs";import"./chunk-X6VNTWP4.mjs";import"./chunk-WV7T2FTI.mjs";export{prune,pruneCatalog,prunedWords,versionNotes};
