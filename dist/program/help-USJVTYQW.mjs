import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{inputsOf}from"./chunk-WZC4YVML.mjs";import"./chunk-QHBHIKC2.mjs";import"./chunk-HC2JBJ2G.mjs";import"./chunk-BSCRPUYD.mjs";import"./chunk-TPRZHSDK.mjs";import"./chunk-K3TCARYK.mjs";import"./chunk-YWNVDOOL.mjs";import"./chunk-CRKJTY75.mjs";import"./chunk-CQDBGHMO.mjs";import"./chunk-SZCAU5BR.mjs";import"./chunk-XIFTJ566.mjs";import"./chunk-M3F4M37L.mjs";import"./chunk-QBJAGKVI.mjs";import"./chunk-7W6XQCAV.mjs";import"./chunk-ICUYS4HK.mjs";import"./chunk-CV7MYJBH.mjs";import{version}from"./chunk-VUO76SUS.mjs";import"./chunk-7QIUTYPQ.mjs";import"./chunk-TG3N3CS7.mjs";import"./chunk-2WC5DT2H.mjs";import"./chunk-D5TRTRIY.mjs";import"./chunk-FU2UL4LO.mjs";import"./chunk-LJN3SBEV.mjs";import"./chunk-A2NXOZP5.mjs";import"./chunk-QLIBBLPA.mjs";import{commandWords,isCommand,secretVariables,shownCommand}from"./chunk-LGKYXKHP.mjs";import"./chunk-GQIZQGKJ.mjs";import"./chunk-D6FRKJ7Z.mjs";import"./chunk-N26VXKPV.mjs";import{choices}from"./chunk-UF4RQ4ZW.mjs";import"./chunk-723VPV7R.mjs";import"./chunk-RC26ITII.mjs";import"./chunk-PPVGO4FB.mjs";import"./chunk-WSURMHKY.mjs";import"./chunk-CG47S3TU.mjs";import{__name}from"./chunk-WV7T2FTI.mjs";var[DEFAULT_WIDTH,MOST_WIDTH]=[80,100],widthOf=__name(columns=>Math.min(columns??DEFAULT_WIDTH,MOST_WIDTH),"widthOf");function usage(columns){let width=widthOf(columns),names=[...choices.command],column=Math.max(...names.map(name=>name.length))+4,commands=names.map(name=>{let[first="",...rest]=wrapped(commandWords[name].purpose,width-column);return[`  ${name.padEnd(column-2)}${first}`,...rest.map(line=>" ".repeat(column)+line)].join(`
`)});return`odoo-backup ${version}: verified Odoo backups in S3, and the way back

Usage: odoo-backup COMMAND [options]

Commands:
${commands.join(`
`)}

  odoo-backup COMMAND --help              the options of a command
  odoo-backup completion bash|zsh|fish    a script for command completion
  odoo-backup version
`}__name(usage,"usage");function commandHelp(name,all,columns){if(!isCommand(name))return usage(columns);let inputs=inputsOf(name),command=shownCommand(name,{inputs,all}),width=widthOf(columns);return[formatted(command,width),`Example:
  ${wrapped(commandWords[name].example,width-4," \\").join(`
    `)}
`,...all?[ends(name,inputs,width)]:[]].join(`
`)}__name(commandHelp,"commandHelp");function ends(name,inputs,width){let secrets=secretVariables(inputs);return[...secrets.length>0?[`Secrets can only be variables: ${secrets.join(", ")}.`]:[],"Every option can also be a variable, such as ODOO_BACKUP_S3_BUCKET for --s3-bucket; the option wins.",`Exit status: 0 success, 1 failure, 2 bad input,${name==="gate"?" 3 the gate is shut,":""} 129 to 143 cancelled by a signal.`,"docs/inputs.md explains each input."].map(text=>`${wrapped(text,width).join(`
`)}
`).join("")}__name(ends,"ends");function formatted(command,width){return command.configureHelp({helpWidth:width,minWidthToWrap:40,commandUsage:__name(()=>`odoo-backup ${command.name()} [options]`,"commandUsage"),optionDescription:__name(option=>option.description,"optionDescription")}),command.helpInformation()}__name(formatted,"formatted");function wrapped(text,width,continuation=""){let lines=[""];for(let word of text.split(" ")){let line=lines.pop()??"";line!==""&&line.length+1+word.length>width-continuation.length?lines.push(line,word):lines.push(line===""?word:`${line} ${word}`)}return lines.map((line,at)=>at<lines.length-1?line+continuation:line)}__name(wrapped,"wrapped");export{commandHelp,usage};
