import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{require_node_http}from"./chunk-WSURMHKY.mjs";import"./chunk-WV7T2FTI.mjs";export default require_node_http();
