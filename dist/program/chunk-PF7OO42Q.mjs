import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{lengthOf,topOf}from"./chunk-FXJ5CH53.mjs";import{MOST_ROWS,legendOf,nightSigns,oneLine,printedLine,signs,spansOf,statesOf}from"./chunk-QN3WCDCX.mjs";import{formatCount,formatDuration}from"./chunk-A2NXOZP5.mjs";import{printable}from"./chunk-PPVGO4FB.mjs";import{__name}from"./chunk-WV7T2FTI.mjs";var entities={"&":"&amp;","<":"&lt;",">":"&gt;",'"':"&quot;"},escaped=__name(text=>printable(text).replaceAll(/[&<>"]/g,character=>entities[character]??""),"escaped"),inlineHtml=__name(text=>spansOf(text).map(span=>typeof span=="string"?escaped(oneLine(span)):`<code>${escaped(oneLine(span.code))}</code>`).join(""),"inlineHtml"),printedHtml=__name(lines=>lines.map(line=>escaped(printedLine(line))).join(`
`),"printedHtml");var style=`
:root { color-scheme: light dark; --ink: #1f2328; --quiet: #59636e; --line: #d1d9e0; --paper: #fff; --soft: #f6f8fa;
  --good: #1a7f37; --blue: #0969da; --violet: #8250df; --teal: #0a7a72; --warn: #9a6700; --bad: #cf222e; --on: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --quiet: #9198a1; --line: #3d444d; --paper: #0d1117; --soft: #161b22;
    --good: #3fb950; --blue: #58a6ff; --violet: #ab7df8; --teal: #39c5bb; --warn: #d29922; --bad: #f85149; --on: #0d1117; }
}
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; color: var(--ink); background: var(--paper); }
main { max-width: 64rem; margin: 0 auto; padding: 1.5rem 1rem; }
h1 { font-size: 1.1rem; font-weight: normal; color: var(--quiet); }
section { border-left: 4px solid var(--good); padding-left: 1rem; margin: 2rem 0; }
section.flawed { border-color: var(--warn); }
section.failed { border-color: var(--bad); }
h2 { font-size: 1.3rem; margin: 0; overflow-wrap: break-word; }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem 1.5rem .3rem 0; border-bottom: 1px solid var(--line); }
.facts th { white-space: nowrap; }
.facts td { overflow-wrap: anywhere; }
.right { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.whole { white-space: nowrap; }
.scroll { overflow-x: auto; }
.scroll td { white-space: nowrap; }
.scroll td:last-child, .scroll td:only-child { white-space: normal; min-width: 14rem; }
code { font: .875em ui-monospace, monospace; background: var(--soft); padding: .1em .3em; border-radius: 4px; overflow-wrap: break-word; }
pre { font: .8125rem/1.5 ui-monospace, monospace; background: var(--soft); padding: .75rem 1rem; border-radius: 6px; overflow-x: auto; }
details { margin: 1rem 0; }
summary { cursor: pointer; }
li { margin: .2rem 0; }
.waterfall { width: 100%; table-layout: fixed; }
.waterfall caption { text-align: left; font-weight: 600; padding-bottom: .25rem; }
.waterfall .name { width: 36%; }
.waterfall .time { width: 6rem; }
.waterfall th { font-weight: normal; overflow-wrap: break-word; }
.waterfall td.right { padding-right: 0; }
.waterfall th[scope=rowgroup] { color: var(--quiet); font-size: .875rem; padding-top: .75rem; }
.waterfall th.away { color: var(--bad); font-weight: 600; }
.waterfall svg { display: block; width: 100%; height: .9rem; margin-top: .35rem; background: var(--soft); }
.bar { fill: var(--blue); }
rect.away { fill: var(--bad); }
.nights { list-style: none; display: flex; flex-wrap: wrap; gap: 2px; padding: 0; margin: .5rem 0; }
.nights li { width: 1.75rem; height: 1.75rem; margin: 0; border-radius: 4px; display: grid; place-items: center;
  font-size: .75rem; font-variant-numeric: tabular-nums; color: var(--on); position: relative; }
.upload { background: var(--good); }
.contents { background: var(--teal); border-bottom: 4px solid var(--ink); }
.restore { background: var(--blue); border: 2px solid var(--ink); }
.boot { background: var(--violet); border: 4px double var(--ink); }
.failed.key, .nights .failed { background: var(--bad); clip-path: polygon(20% 0, 80% 0, 100% 20%, 100% 80%, 80% 100%, 20% 100%, 0 80%, 0 20%); }
.doubtful { background: var(--warn); border-radius: 50% !important; }
.nights .none, .none.key { background: none; color: var(--ink); border: 2px dashed var(--bad); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; margin: .5rem 0 1rem; font-size: .875rem; color: var(--quiet); }
.legend li { display: flex; align-items: center; gap: .4rem; margin: 0; }
.key { display: inline-block; width: 1rem; height: 1rem; border-radius: 3px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
figure { margin: 1rem 0; }
figcaption { font-weight: 600; margin-bottom: .25rem; }
.chart { display: flex; gap: .5rem; height: 8rem; }
.chart svg { flex: 1; min-width: 0; height: 100%; border-left: 1px solid var(--line); border-bottom: 1px solid var(--line); }
.axis { display: flex; flex-direction: column; justify-content: space-between; font-size: .75rem; color: var(--quiet); text-align: right; min-width: 2rem; }
.days { display: flex; justify-content: space-between; font-size: .75rem; color: var(--quiet); padding-left: 2.5rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem; margin: 1rem 0; }
.cards article { border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1rem; min-width: 0; }
.cards h3 { margin: 0; overflow-wrap: anywhere; }
.cards p { margin: .25rem 0; font-size: .875rem; color: var(--quiet); }
@media (max-width: 40rem) {
  section { padding-left: .75rem; }
  .facts, .facts tbody, .facts tr, .facts th, .facts td { display: block; }
  .facts th { border: 0; padding-bottom: 0; font-size: .875rem; color: var(--quiet); }
  .waterfall .time { width: 4.5rem; }
  .waterfall th, .waterfall td { padding-right: .5rem; }
  .cards { grid-template-columns: 1fr; }
}
@media print { details > * { display: block; } }
`;function htmlOf(heading,summaries){return`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(heading)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escaped(heading)}</h1>
${summaries.map(section).join(`
`)}
</main>
</body>
</html>
`}__name(htmlOf,"htmlOf");function section({outcome,title,blocks}){let parts=[`<h2>${signs[outcome]} ${inline(title)}</h2>`,...blocks.map(part=>block(part,title))];return`<section class="${outcome}">
${parts.join(`
`)}
</section>`}__name(section,"section");function block(part,title){switch(part.kind){case"facts":return`<table class="facts">
${part.rows.map(([name,value])=>`<tr><th scope="row">${inline(name)}</th><td>${inline(value)}</td></tr>`).join(`
`)}
</table>`;case"table":return tableOf(part,title);case"note":return`<p>${inline(part.text)}</p>`;case"steps":return`<h3>${inline(part.title)}</h3>
<ol>
${part.items.map(item=>`<li>${inline(item)}</li>`).join(`
`)}
</ol>`;case"printed":return`<h3>${inline(part.title)}</h3>
<pre tabindex="0" role="region" aria-label="${escaped(oneLine(part.title))}">
${printedHtml(part.lines)}
</pre>`;case"waterfall":return waterfallOf(part);case"nights":return`<h3>${inline(part.title)}</h3>
${nightsOf(part.nights)}
${legend(part.nights)}`;case"growth":return growthOf(part);case"cards":return`<div class="cards">
${part.cards.map(cardOf).join(`
`)}
</div>
${legend(part.cards.flatMap(({nights})=>nights))}`}}__name(block,"block");function tableOf({columns,rows,name="All"},title){let head=row("th",columns,columns.map(column=>column.name)),body=rows.map(cells=>row("td",columns,cells)).join(`
`),shown=`<div class="scroll" tabindex="0" role="region" aria-label="${escaped(`${name}: ${oneLine(title)}`)}">
<table>
<thead>
${head}
</thead>
<tbody>
${body}
</tbody>
</table>
</div>`;return rows.length<=MOST_ROWS?shown:`<details>
<summary>${inline(name)}: ${formatCount(rows.length)}</summary>
${shown}
</details>`}__name(tableOf,"tableOf");function row(tag,columns,cells){return`<tr>${cells.map((text,at)=>{let align=columns[at]?.align===void 0?"":' class="right"',cell=tag==="th"&&text===""?"td":tag;return`<${cell}${cell==="th"?' scope="col"':""}${align}>${inline(text)}</${cell}>`}).join("")}</tr>`}__name(row,"row");var timeOf=__name(bars=>lengthOf(bars)-Math.min(...bars.map(({startMs})=>startMs)),"timeOf");function waterfallOf({title,bars}){let length=lengthOf(bars),share=__name(ms=>Number((ms/length*1e3).toFixed(1)),"share"),groups=statesOf(bars).map(({state,bars:own})=>{let rows=own.map(({name,away,startMs,ms})=>{let svg=`<svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">${`<rect class="${away?"away":"bar"}" x="${share(startMs)}" width="${Math.max(4,share(ms))}" height="10"/>`}</svg>`;return`<tr><th scope="row">${inline(name)}</th><td>${svg}</td><td class="right">${formatDuration(ms)}</td></tr>`});return`<tbody>
${`<tr><th scope="rowgroup" colspan="3"${own.some(({away})=>away)?' class="away"':""}>${inline(state)}: ${formatDuration(timeOf(own))}</th></tr>`}
${rows.join(`
`)}
</tbody>`});return`<table class="waterfall">
<caption>${inline(title)}</caption>
<colgroup><col class="name"><col><col class="time"></colgroup>
${groups.join(`
`)}
</table>`}__name(waterfallOf,"waterfallOf");function nightsOf(nights){return`<ol class="nights">
${nights.map(({day,state})=>{let means=`${day}: ${nightSigns[state].means}`;return`<li class="${state}" title="${escaped(means)}"><span aria-hidden="true">${Number(day.slice(8))}</span><span class="hidden">${escaped(means)}</span></li>`}).join(`
`)}
</ol>`}__name(nightsOf,"nightsOf");var legend=__name(nights=>`<ul class="legend">
${legendOf(nights).map(({state,means})=>`<li><span class="key ${state}" aria-hidden="true"></span>${escaped(means)}</li>`).join(`
`)}
</ul>`,"legend");function growthOf(growth){let{title,unit,points}=growth,top=topOf(growth),wide=1e3/Math.max(1,points.length),bars=points.flatMap(({label,value},at)=>{if(value===void 0)return[];let height=value/top*100;return[`<rect class="bar" ${`x="${(at*wide+wide*.1).toFixed(1)}" y="${(100-height).toFixed(1)}" width="${(wide*.8).toFixed(1)}" height="${height.toFixed(1)}"`}><title>${escaped(`${label}: ${value} ${unit}`)}</title></rect>`]}),values=points.flatMap(({value})=>value??[]),said=`${title} of ${points.length} nights: from ${values[0]??0} to ${values.at(-1)??0} ${unit}`,[first,last]=[points[0]?.label??"",points.at(-1)?.label??""];return`<figure>
<figcaption>${escaped(title)}, ${escaped(unit)}</figcaption>
<div class="chart"><div class="axis"><span>${top}</span><span>0</span></div>
<svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label="${escaped(said)}">
${bars.join(`
`)}
</svg></div>
<div class="days"><span>${escaped(first)}</span><span>${escaped(last)}</span></div>
</figure>`}__name(growthOf,"growthOf");var cardOf=__name(({name,outcome,words,nights})=>`<article>
<h3>${signs[outcome]} ${inline(name)}</h3>
<p>${inline(words)}</p>
${nightsOf(nights)}
</article>`,"cardOf"),WHOLE=/(?<!\d)\d{4}-\d\d-\d\d(?:[ _T]\d\d[:-]\d\d(?:[:-]\d\d)?(?: UTC|Z)?)?|\b(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,40}\b/g,inline=__name(text=>inlineHtml(text).replaceAll(WHOLE,piece=>`<span class="whole">${piece}</span>`).replaceAll(/<code>.*?<\/code>/g,code=>code.replaceAll(/\/(?=[^>/\s])/g,(slash,at)=>code[at-1]==="<"?slash:"/<wbr>")),"inline");export{escaped,inlineHtml,printedHtml,htmlOf};
