/** The look of the page: both colour schemes, and one column on a phone. */
export const style = `
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
`;
