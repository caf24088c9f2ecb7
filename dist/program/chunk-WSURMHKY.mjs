import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{__commonJS,__require}from"./chunk-WV7T2FTI.mjs";var require_node_http=__commonJS({"required:node:http"(exports,module){module.exports=__require("node:http")}});export{require_node_http};
