import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{require_dist}from"./chunk-CV7MYJBH.mjs";import{LeftOut,Mask,Outputs,jobToken,logText}from"./chunk-G4W6DHQA.mjs";import{plainText}from"./chunk-OHPS6CD4.mjs";import{oneLine,signs,spansOf,withTexts}from"./chunk-BXL4HNTO.mjs";import{describeError}from"./chunk-WLGJSTMN.mjs";import{UserError,messageOf}from"./chunk-QLIBBLPA.mjs";import{variableOf}from"./chunk-N26VXKPV.mjs";import{printable}from"./chunk-PPVGO4FB.mjs";import"./chunk-I5XJ3NDC.mjs";import{__name,__toESM}from"./chunk-WV7T2FTI.mjs";import{rmSync,writeFileSync}from"node:fs";function htmlOf(heading,summaries,failure){let parts=[...summaries.map(section),...failure.length>0?[failed(failure)]:[]];return`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(heading)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escaped(heading)}</h1>
${parts.join(`
`)}
</body>
</html>
`}__name(htmlOf,"htmlOf");var style=`
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark; }
h1 { font-size: 1.1rem; font-weight: normal; opacity: .7; }
section { border-left: 4px solid #1a7f37; padding-left: 1rem; margin: 2rem 0; }
section.flawed { border-color: #bf8700; }
section.failed { border-color: #cf222e; }
h2 { font-size: 1.3rem; margin: 0; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: .25rem 1.5rem .25rem 0; border-bottom: 1px solid #8884; }
.right { text-align: right; font-variant-numeric: tabular-nums; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; font: .9em/1.5 ui-monospace, monospace; }
`;function section({outcome,title,blocks}){let parts=[`<h2>${signs[outcome]} ${inline(title)}</h2>`,...blocks.flatMap(block)];return`<section class="${outcome}">
${parts.join(`
`)}
</section>`}__name(section,"section");function failed([what="",...rest]){return`<section class="failed">
<h2>${signs.failed} ${escaped(what)}</h2>
<pre>${escaped(rest.join(`
`))}</pre>
</section>`}__name(failed,"failed");function block(part){switch(part.kind){case"facts":return[`<table>
${part.rows.map(([name,value])=>`<tr><th scope="row">${inline(name)}</th><td>${inline(value)}</td></tr>`).join(`
`)}
</table>`];case"table":return[`<table>
${[row("th",part.columns,part.columns.map(({name})=>name)),...part.rows.map(cells=>row("td",part.columns,cells))].join(`
`)}
</table>`];case"note":return[`<p>${inline(part.text)}</p>`];case"diagram":return[]}}__name(block,"block");function row(tag,columns,cells){return`<tr>${cells.map((text,at)=>{let align=columns[at]?.align===void 0?"":' class="right"';return`<${tag}${align}>${inline(text)}</${tag}>`}).join("")}</tr>`}__name(row,"row");var inline=__name(text=>spansOf(text).map(span=>typeof span=="string"?escaped(oneLine(span)):`<code>${escaped(oneLine(span.code))}</code>`).join(""),"inline"),entities={"&":"&amp;","<":"&lt;",">":"&gt;",'"':"&quot;"},escaped=__name(text=>printable(text).replaceAll(/[&<>"]/g,character=>entities[character]??""),"escaped");var import_yaml=__toESM(require_dist(),1);function childPipeline(matrix){let{include}=JSON.parse(matrix),jobs=include.map(({host="",database="",environment=""})=>[`odoo ${host} ${database}`.trimEnd(),{extends:".odoo-backup",variables:variables({host,database,environment})}]);return(0,import_yaml.stringify)(Object.fromEntries(jobs),{lineWidth:0})}__name(childPipeline,"childPipeline");function variables(inputs){let given=Object.entries(inputs).filter(([,value])=>value!=="");return Object.fromEntries(given.map(([name,value])=>[variableOf(name),value.includes("$")?{value,expand:!1}:value]))}__name(variables,"variables");var dotenvFile="odoo-backup.env",jsonFile="odoo-backup.json",htmlFile="odoo-backup.html",linksFile="odoo-backup-links.json",pipelineFile="odoo-backup-hosts.yml";function gitlabPlatform(line,env,stdout,now=Date.now){let mask=new Mask,fit=logText({...env,GITLAB_CI:"true"}),clean=__name(message=>fit(mask.apply(message)),"clean"),print=__name(message=>stdout.write(`${message}
`),"print"),say=__name(message=>print(clean(message)),"say"),sections=0,warning=__name(message=>print(`${yellow}WARNING: ${clean(message)}${plain}`),"warning"),report=new Report(env,text=>mask.apply(text),warning),dotenv=new Dotenv,outputs=new Outputs((name,value)=>{if(name==="json")return writeFileSync(jsonFile,value);if(name==="matrix")return writeFileSync(pipelineFile,childPipeline(value));name==="uri"&&report.archive(value,line),dotenv.add(name,value)},warning);return{run:identity(env),progressIntervalMs:5e3,input:line.input,secret:__name(value=>mask.add(value),"secret"),idToken:__name(audience=>jobToken(audience,env),"idToken"),prepare:prepareFiles,group:__name(async(title,body)=>{let id=`odoo_backup_${++sections}`;stdout.write(marker("start",now(),`${id}[collapsed=true]`)),say(title);try{return await body()}finally{stdout.write(`${marker("end",now(),id)}
`)}},"group"),info:say,notice:say,warning,progress:say,output:__name((name,value)=>outputs.give(name,value),"output"),summary:__name(async summary=>{say(`
${plainText(withTexts(summary,text=>mask.apply(text)))}`),report.add(summary)},"summary"),finish:__name(async()=>outputs.assertWritten(),"finish"),fail:__name(error=>{let why=describeError(error);print(`${red}ERROR: ${clean(why.join(`
  `))}${plain}`),report.fail(why)},"fail")}}__name(gitlabPlatform,"gitlabPlatform");function prepareFiles(){try{for(let file of[dotenvFile,jsonFile,htmlFile,linksFile])rmSync(file,{force:!0});writeFileSync(dotenvFile,`
`),rmSync(dotenvFile)}catch(error){throw new UserError(`The results of this job cannot be written: ${messageOf(error)}`,`Nothing was touched. They go into the working folder, ${process.cwd()}: make room there, and let the job write to it.`)}}__name(prepareFiles,"prepareFiles");var Dotenv=class{static{__name(this,"Dotenv")}#lines=[];add(name,value){if(/[$%]/.test(value))throw new LeftOut("its value has a $ or % in it, which GitLab would expand.");let text=[...this.#lines,`${resultVariable(name)}=${value}
`].join("");if(Buffer.byteLength(text)>=DOTENV_BYTES)throw new LeftOut("GitLab takes 5 KiB of outputs altogether.");this.#lines.push(`${resultVariable(name)}=${value}
`),writeFileSync(dotenvFile,text)}},DOTENV_BYTES=5*1024,Report=class{static{__name(this,"Report")}#env;#mask;#warning;#summaries=[];#archive;constructor(env,mask,warning){this.#env=env,this.#mask=mask,this.#warning=warning}add(summary){this.#summaries.push(summary),this.#write([])}fail(why){this.#write(why)}archive(uri,{input}){let region=input("aws-region")||this.#env.AWS_REGION||this.#env.AWS_DEFAULT_REGION,[,bucket,key]=/^s3:\/\/([^/]+)\/(.+)$/.exec(uri)??[],{AWS_ENDPOINT_URL_S3,AWS_ENDPOINT_URL}=this.#env,endpoint=input("s3-endpoint")||AWS_ENDPOINT_URL_S3||AWS_ENDPOINT_URL;if(!region||!bucket||!key||endpoint)return;let url=new URL(`https://${region}.console.aws.amazon.com/s3/object/${bucket}`);url.search=new URLSearchParams({region,prefix:key}).toString(),this.#archive={label:"Archive in S3",url:url.href}}#write(failure){let{CI_JOB_NAME,CI_JOB_URL,CI_PROJECT_PATH}=this.#env,heading=[CI_JOB_NAME??"odoo-backup",CI_PROJECT_PATH].filter(Boolean).join(" \xB7 "),links=[CI_JOB_URL&&{label:"Report",url:`${CI_JOB_URL}/artifacts/file/${htmlFile}`},this.#archive].filter(link=>link!==void 0&&link!=="");try{let summaries=this.#summaries.map(summary=>withTexts(summary,this.#mask));writeFileSync(htmlFile,htmlOf(heading,summaries,failure.map(this.#mask)));let annotations={"Odoo backup":links.map(link=>({external_link:link}))};links.length>0&&writeFileSync(linksFile,JSON.stringify(annotations))}catch(error){this.#warning(`The report could not be written: ${messageOf(error)}`)}}},yellow="\x1B[33m",red="\x1B[31m",plain="\x1B[0m";function marker(kind,nowMs,id){return`\x1B[0Ksection_${kind}:${Math.floor(nowMs/1e3)}:${id}\r\x1B[0K`}__name(marker,"marker");function resultVariable(name){return`ODOO_BACKUP_RESULT_${name.replaceAll("-","_").toUpperCase()}`}__name(resultVariable,"resultVariable");function identity(env){return{platform:"gitlab",actor:env.GITLAB_USER_LOGIN,repository:env.CI_PROJECT_PATH,commit:env.CI_COMMIT_SHA,ref:env.CI_COMMIT_REF_NAME,url:env.CI_JOB_URL}}__name(identity,"identity");export{dotenvFile,gitlabPlatform,htmlFile,jsonFile,linksFile,pipelineFile};
