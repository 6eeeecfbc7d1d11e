"""Reports of atomloom as pages and plots; what it brings is in `atomloom_report.plugin`.

=============  =================================================================================
`html`         a report as one page; template, style and scripts are in the folder ``page``
`interactive`  figures as what plotly.js draws, and scenes in space as what our own script draws
`printed`      figures as PNG and SVG, by matplotlib
`palette`      the colours of both; `scales`, `shapes` and `scene` what else they share
`gallery`      a report with everything in it
=============  =================================================================================
"""
