import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{__name}from"./chunk-WV7T2FTI.mjs";var CONTROLS=/[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,isPrintable=__name(text=>text.isWellFormed()&&text.search(CONTROLS)<0,"isPrintable"),withoutControls=__name(text=>text.toWellFormed().replaceAll(CONTROLS,"\uFFFD"),"withoutControls"),quoted=__name(text=>printableJson(JSON.stringify(text)),"quoted"),printable=__name(text=>text.replaceAll(`\r
`,`
`).replaceAll(CONTROLS,control=>control===`
`||control==="	"?control:written(control)),"printable"),printableJson=__name(json=>json.replaceAll(CONTROLS,control=>`\\u${hex(control,4)}`),"printableJson"),written=__name(control=>control<="\xFF"?`\\x${hex(control,2)}`:`\\u${hex(control,4)}`,"written"),hex=__name((character,digits)=>character.charCodeAt(0).toString(16).padStart(digits,"0"),"hex");export{isPrintable,withoutControls,quoted,printable,printableJson};
