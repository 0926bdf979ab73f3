"""How the page looks: one column that a phone shows whole, in the reader's light or dark scheme."""

COLOURS = {
    "ink": ("#1b1f24", "#e6e8eb"),
    "muted": ("#5c6670", "#9aa4ae"),
    "line": ("#dde1e6", "#343a41"),
    "paper": ("#ffffff", "#15181c"),
    "card": ("#f6f7f9", "#1d2126"),
    "accent": ("#1f5fd6", "#6ea8ff"),
    "c1": ("#c2571a", "#f0955a"),
    "c2": ("#2d8653", "#63c08a"),
    "c3": ("#8a4fb3", "#c08fe6"),
    "c4": ("#8b7a12", "#cfbc4a"),
    "c5": ("#b23a60", "#ee7fa3"),
}
"""Every colour, light and dark."""


def _scheme(dark: bool) -> str:
    return "".join(f"--{name}:{pair[dark]};" for name, pair in COLOURS.items())


STYLE = (
    f"""
:root{{color-scheme:light dark;{_scheme(False)}}}
@media (prefers-color-scheme:dark){{:root{{{_scheme(True)}}}}}
"""
    + """
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
 "Helvetica Neue",Arial,sans-serif}
main{max-width:1040px;margin:0 auto;padding:28px 20px 64px}
h1{font-size:clamp(28px,6vw,44px);line-height:1.15;margin:.1em 0 .25em;letter-spacing:-.02em}
h1 small{font-size:.5em;font-weight:500;letter-spacing:0;color:var(--muted)}
h2{font-size:22px;margin:52px 0 4px;letter-spacing:-.01em}
h3{font-size:16px;margin:28px 0 6px}
p{margin:.4em 0 .8em}
.lead{font-size:18px}
.kicker,.note,figcaption{color:var(--muted);font-size:14px}
.kicker{margin:0}
p,figcaption,.verdict{max-width:46em}
.verdict{border-left:5px solid var(--c1);padding:2px 0 2px 16px;margin:14px 0 20px;font-size:19px}
.verdict.better{border-color:var(--c2)}
.verdict ul,.verdict p{margin:.3em 0}
.verdict ul{font-size:16px;padding-left:1.2em}
.caution{border-left:4px solid var(--c1);padding-left:12px}
.commands{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:2px 18px 10px;margin:28px 0}
.commands h3{margin:14px 0 4px}
.commands pre{background:var(--paper);margin:4px 0}
dl.steps{grid-template-columns:minmax(0,max-content) minmax(11em,1fr)}
dl.steps dt{color:var(--ink);overflow-wrap:anywhere}
dl.steps dd{color:var(--muted);font-size:14px}
figure{margin:16px 0}
figure img{display:block;width:100%;height:auto;border-radius:8px;background:#202124}
figcaption{margin-top:6px}
svg{display:block;width:100%;max-width:620px;height:auto}
svg text{font-family:inherit!important}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(330px,100%),1fr));gap:20px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:7px 10px 7px 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:middle}
th{font-weight:500;color:var(--muted);font-size:14px}
.scroll table{table-layout:fixed;min-width:420px}
td.value{text-align:right;white-space:nowrap}
th.value{text-align:right}
tr.own td{font-weight:650}
tr.own .bar i{background:var(--accent)}
.bar{width:42%;min-width:90px}
.bar i{display:block;height:12px;border-radius:3px;background:var(--muted);opacity:.55;min-width:2px}
tr.own .bar i{opacity:1}
td .mini{display:block;height:4px;border-radius:2px;background:var(--muted);opacity:.5;margin:4px 0 0 auto;
 min-width:1px}
td.own{font-weight:650}
td.own .mini{background:var(--accent);opacity:1}
code,pre{font:13.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 14px;overflow-x:auto;
 white-space:pre-wrap;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 18px;margin:12px 0}
dt{color:var(--muted)}
dd{margin:0;overflow-wrap:anywhere}
summary{cursor:pointer;color:var(--muted)}
@media print{.film,.mini{display:none}figure,table{break-inside:avoid}}
@media (max-width:520px){
 dl.steps{grid-template-columns:1fr}dl.steps dd{margin-bottom:8px}
 main{padding:18px 14px 48px}.bar{min-width:60px}th,td{padding-right:8px}}
"""
)
"""The page's style sheet."""
