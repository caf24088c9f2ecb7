import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{__name}from"./chunk-WV7T2FTI.mjs";function sshPatterns(list){let patterns=list.split(","),negated=patterns.filter(pattern=>pattern.startsWith("!")).map(pattern=>glob(pattern.slice(1))),positive=patterns.filter(pattern=>!pattern.startsWith("!")).map(glob);return name=>positive.some(one=>one.test(name))&&!negated.some(one=>one.test(name))}__name(sshPatterns,"sshPatterns");function glob(pattern){let source=pattern.replace(/[\\^$.+()|[\]{}]/g,"\\$&").replaceAll("*",".*").replaceAll("?",".");return new RegExp(`^${source}$`)}__name(glob,"glob");export{sshPatterns};
