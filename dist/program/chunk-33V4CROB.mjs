import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{__name}from"./chunk-WV7T2FTI.mjs";var SAYS_END=`exec 4>&1
    code=$({ { "$@" 2>&1 >&4 3>&- 4>&-; echo $? >&3; } | tail -c 4096 >&2 3>&- 4>&-; } 3>&1)
    [ "$code" -le 128 ] || kill -$((code - 128)) $$
    exit "$code"`,sayingEnd=__name(command=>({...command,argv:["sh","-c",SAYS_END,"sh",...command.argv]}),"sayingEnd");function tailOf(stderr){let tail=Buffer.alloc(0);return stderr.on("data",chunk=>{tail=Buffer.concat([tail,chunk]).subarray(-4096)}),()=>tail.toString("utf8").replace(/^\uFFFD+/,"").trim()}__name(tailOf,"tailOf");export{sayingEnd,tailOf};
