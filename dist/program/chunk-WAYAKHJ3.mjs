import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{__name}from"./chunk-WV7T2FTI.mjs";import{setFlagsFromString}from"node:v8";function tuneGarbageCollector(){setFlagsFromString("--semi-space-growth-factor=1"),process.versions.v8.startsWith("13.6.")&&(setFlagsFromString("--scavenger-max-new-space-capacity-mb=4"),setFlagsFromString("--external-memory-accounted-in-global-limit"),setFlagsFromString("--heap-growing-percent=50"))}__name(tuneGarbageCollector,"tuneGarbageCollector");function collectSooner(){process.versions.v8.startsWith("13.6.")&&setFlagsFromString("--heap-growing-percent=15")}__name(collectSooner,"collectSooner");export{tuneGarbageCollector,collectSooner};
