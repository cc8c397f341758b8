"""How the page looks: one column that prints well, in the fonts that the reader has."""

PAGE_STYLE = """\
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #1d2330; line-height: 1.5;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 36px 24px 64px; }
header { border-bottom: 2px solid #1d2330; padding-bottom: 18px; }
.kicker { margin: 0; color: #5b6472; }
h1 { margin: 4px 0 8px; font-size: 32px; line-height: 1.2; font-weight: 650; letter-spacing: -0.01em; }
h1.gain { color: #0b62a8; }
h1.no-gain { color: #a2440a; }
.verdict { margin: 0 0 8px; font-size: 17px; max-width: 46em; }
.rows { margin: 0; color: #5b6472; }
section { margin-top: 32px; }
h2 { margin: 0 0 8px; font-size: 18px; font-weight: 650; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
thead th:first-child, tbody th { width: 25%; }
@media (min-width: 721px) { table.even { table-layout: fixed; } }
th, td { padding: 5px 14px 5px 0; text-align: left; vertical-align: baseline; }
thead th { border-bottom: 1px solid #1d2330; font-weight: 600; color: #3d4451; }
tbody th { font-weight: 400; }
tbody tr + tr > * { border-top: 1px solid #e4e7ec; }
tbody tr:last-child > * { border-bottom: 1px solid #1d2330; }
td { white-space: nowrap; }
td small { margin-left: 8px; color: #6b7380; font-size: 12.5px; white-space: nowrap; }
.note { margin: 8px 0 0; color: #5b6472; font-size: 13.5px; }
.figures { display: flex; flex-wrap: wrap; gap: 24px 24px; }
figure { margin: 0; }
figure.wide { flex: 1 1 100%; }
figure.half { flex: 1 1 calc(50% - 12px); min-width: 320px; max-width: calc(50% - 12px); }
@media (max-width: 720px) { figure.half { max-width: 100%; } td small { display: block; margin: 0; } }
figure svg { width: 100%; height: auto; display: block; }
figure svg text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif !important; }
figcaption { margin-top: 4px; color: #3d4451; font-size: 13.5px; }
ul { margin: 0; padding-left: 20px; }
@media print { main { padding: 0; } section, figure { break-inside: avoid; } }
"""
