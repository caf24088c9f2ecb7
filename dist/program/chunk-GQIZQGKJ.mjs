import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{__name}from"./chunk-WV7T2FTI.mjs";var ARMOR=/-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----([\s\S]*?)-----END \1-----/,HEADERS=/^\s*(Proc-Type:\s*\S+)\s+(DEK-Info:\s*\S+)\s+([\s\S]*)$/;function privateKeyText(value){let unquoted=value.trim().replace(/^(["'])([\s\S]*)\1$/,"$2"),text=decoded(unquoted).replaceAll(/\r\n?/g,`
`).replaceAll("\xA0"," ").trim(),[,kind,body=""]=ARMOR.exec(text.replaceAll(/\\r|\\n/g,`
`))??[];if(kind===void 0)return`${text}
`;let[,process,cipher,encrypted]=HEADERS.exec(body)??[],base64=(encrypted??body).replaceAll(/\s/g,""),headers=process&&cipher?[process,cipher,""]:[],lines=base64.match(/.{1,64}/g)??[];return[`-----BEGIN ${kind}-----`,...headers,...lines,`-----END ${kind}-----`,""].join(`
`)}__name(privateKeyText,"privateKeyText");function decoded(value){let compact=value.replaceAll(/\s/g,"");if(!/^[A-Za-z0-9+/]{40,}={0,2}$/.test(compact))return value;let text=Buffer.from(compact,"base64").toString("utf8").trimStart();return/^(-----BEGIN |PuTTY-User-Key-File-|ssh-|ecdsa-)/.test(text)?text:value}__name(decoded,"decoded");var isEncodedKey=__name(value=>decoded(value)!==value,"isEncodedKey");function bodyOf(text){return Buffer.from(ARMOR.exec(text)?.[2]??"","base64")}__name(bodyOf,"bodyOf");export{privateKeyText,isEncodedKey,bodyOf};
