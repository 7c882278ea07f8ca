/** Light and dark by what the reader's system says; no font, image or script of anybody. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--paper:#fff;--well:#f6f8fa;--link:#0550ae}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b1;--line:#30363d;--paper:#0d1117;--well:#161b22;--link:#79b8ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:64rem;padding:1rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
a{color:var(--link)}
code,pre,.method,.path{font-family:ui-monospace,monospace;font-size:.875em}
pre{background:var(--well);padding:.75rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;list-style:none;padding:0}
details{border-top:1px solid var(--line)}
summary{padding:.5rem 0;cursor:pointer}
details>div{padding:0 0 1rem 1rem}
.method{display:inline-block;min-width:4.5rem;font-weight:700}
.path{font-weight:600;overflow-wrap:anywhere}
.what,.role{color:var(--soft)}
.role{border:1px solid var(--line);border-radius:1rem;padding:0 .5rem;font-size:.8125rem}
.table{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line)}
td:last-child{overflow-wrap:anywhere;min-width:12rem}
`;
