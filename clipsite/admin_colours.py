"""The colours of the site (static/css/base.css) in the steps that the administration's theme asks
for. Of the accent, 600 is that of the light theme and 400 nearly that of the dark one; the greys
reach from the paper of the light theme to the night of the dark one."""

ACCENT = {
    "50": "#eff8f6",
    "100": "#e1f1ee",
    "200": "#bfe3dc",
    "300": "#7fe3d3",
    "400": "#56d3c0",
    "500": "#2aa896",
    "600": "#0b6e63",
    "700": "#085a51",
    "800": "#0b4740",
    "900": "#16322f",
    "950": "#06231f",
}
GREYS = {
    "50": "#faf9f6",
    "100": "#f0eee9",
    "200": "#e3e0d9",
    "300": "#cfccc5",
    "400": "#a9acb2",
    "500": "#696c72",
    "600": "#5a5c61",
    "700": "#383c41",
    "800": "#25282c",
    "900": "#1c1e21",
    "950": "#121315",
}
