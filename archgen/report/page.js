// Draws the charts with the page's colours, and again when those change.
const dark = matchMedia("(prefers-color-scheme: dark)");
function template() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const axis = {
    gridcolor: color("--line"), linecolor: color("--line"), zerolinecolor: color("--line"),
    automargin: true, title: { standoff: 10 },
  };
  return {
    layout: {
      font: { color: color("--ink"), family: getComputedStyle(document.body).fontFamily, size: 13 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", xaxis: axis, yaxis: axis,
      hoverlabel: { align: "left", bgcolor: color("--card"), bordercolor: color("--line"), font: { color: color("--ink") } },
    },
  };
}
function draw() {
  for (const place of document.querySelectorAll(".chart")) {
    const { data, layout } = JSON.parse(document.getElementById(place.id + "-data").textContent);
    const config = {
      responsive: true, displaylogo: false,
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
    };
    Plotly.react(place, data, { ...layout, template: template() }, config);
  }
}
draw();
dark.addEventListener("change", draw);
