import { THEMES, type Theme } from './series-style.ts'

function colors({ id, background, text, muted, rule, tooltip }: Theme): string {
  const page = id === 'light' ? '#f4f6f8' : '#0e1319'
  const link = id === 'light' ? '#0069a8' : '#5cb8f0'
  return `color-scheme:${id};--page:${page};--card:${background};--text:${text};--muted:${muted};--rule:${rule};--raised:${tooltip};--link:${link}`
}

/** Follows the color scheme of the system, unless the button overrides it. Printing uses the light theme. */
export const STYLESHEET = `
:root{${colors(THEMES.light)}}
@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){${colors(THEMES.dark)}}}
@media screen{:root[data-theme=dark]{${colors(THEMES.dark)}}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
header,main,footer{max-width:66rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2rem;display:flex;flex-wrap:wrap;gap:1rem;justify-content:space-between;align-items:flex-start}
h1{font-size:clamp(1.6rem,5vw,2.3rem);line-height:1.15;margin:0 0 .3rem;letter-spacing:-.02em}
h2{font-size:1.35rem;line-height:1.25;margin:0 0 .6rem;letter-spacing:-.01em}
h3{font-size:1.05rem;margin:2.2rem 0 .35rem}
h2+h3{margin-top:1rem}
p{margin:.3rem 0}
a{color:var(--link)}
.muted,figcaption,caption,small{color:var(--muted)}
.muted{font-size:.92rem}
.tools{display:flex;gap:.5rem;flex-wrap:wrap}
button,select{font:inherit;font-size:.9rem;color:var(--text);background:var(--card);border:1px solid var(--muted);border-radius:.5rem;padding:.4rem .8rem;min-height:2.5rem;max-width:100%}
button{cursor:pointer}
button:hover,select:hover{border-color:var(--text)}
.tools [aria-pressed=true]{background:var(--text);color:var(--card)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
section{background:var(--card);border:1px solid var(--rule);border-radius:.9rem;padding:1.4rem 1.5rem;margin:1.25rem 0}
.answers{list-style:none;padding:0;margin:0}
.answers li{padding:.7rem 0;border-top:1px solid var(--rule);font-size:1.08rem}
.answers a{font-weight:600}
.answers li:first-child{border-top:0;padding-top:.2rem}
.verdict{font-size:1.08rem}
figure{margin:.6rem 0 0;min-width:0}
figcaption{font-size:.92rem}
.multiples{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(22rem,100%),1fr));gap:1.4rem 1.6rem}
.multiples figcaption{color:var(--text);font-weight:600}
.chart{width:100%;min-width:0;min-height:16rem;overflow-x:clip}
.legend{display:flex;flex-wrap:wrap;gap:.3rem;padding:0;margin:.4rem 0 0;list-style:none}
.legend button{display:inline-flex;align-items:center;gap:.4rem;padding:.15rem .6rem;min-height:2rem;font-size:.82rem;border-color:var(--rule);text-align:start}
.legend button[aria-pressed=false]{opacity:.75;text-decoration:line-through;background:transparent}
.legend svg{flex:none}
.pick{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin:.5rem 0}
.pick select{flex:0 1 auto;min-width:0}
.tip{border-collapse:separate;border-spacing:.5rem .1rem;margin:.15rem -.5rem 0;font-size:12px;line-height:1.35}
.tip td{padding:0;vertical-align:top;white-space:normal;max-width:13rem}
.tip td:nth-child(2){white-space:nowrap;text-align:end}
.tip td:nth-child(3),.tip td[colspan]{color:var(--muted)}
.tip td[colspan]{padding-left:.95rem;max-width:none}
.scroll{overflow-x:auto;max-height:32rem;overflow-y:auto;border:1px solid var(--rule);border-radius:.5rem;margin:.5rem 0 1rem}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}
.scroll table{width:100%}
caption{text-align:start;padding:.5rem .7rem;font-weight:600}
.scroll :is(th,td){padding:.3rem .55rem;text-align:start;vertical-align:top;border-top:1px solid var(--rule);overflow-wrap:normal}
.scroll tbody th{font-weight:400}
.scroll .name{overflow-wrap:anywhere;min-width:9rem}
.scroll .n{text-align:end;white-space:nowrap}
.scroll thead .n{white-space:normal}
thead th{position:sticky;top:0;background:var(--card)}
details{margin:.6rem 0 0}
summary{cursor:pointer;font-weight:600;padding:.3rem 0}
details details{margin:.2rem 0 0 1rem}
details details summary{font-weight:400}
dl{display:grid;grid-template-columns:minmax(6rem,auto) 1fr;gap:.2rem 1rem;margin:.4rem 0;font-size:.92rem}
dt{color:var(--muted)}
dd{margin:0;min-width:0}
footer{padding-bottom:3rem;font-size:.85rem;color:var(--muted)}
@media (max-width:34rem){details details{margin-left:0}header,main,footer{padding-inline:.7rem}section{padding:1rem .8rem;border-radius:.7rem}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.4rem}}
@media print{body{font-size:10pt;background:none}.legend button[aria-pressed=false]{display:none}.tools,.pick,noscript{display:none}section{border:0;padding:0;break-inside:auto}figure{break-inside:avoid}.scroll{max-height:none;overflow:visible}h2,h3{break-after:avoid}}
`
