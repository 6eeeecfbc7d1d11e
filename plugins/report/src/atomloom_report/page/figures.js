"use strict";
// Draws every flat figure with plotly.js, which the page holds compressed.
(async () => {
  const holders = [...document.querySelectorAll(".plot")];
  const touch = matchMedia("(pointer: coarse)").matches; // there a drag scrolls the page and zooms nothing
  const NARROW = 420; // here names do not stand side by side
  // These buttons and no others: plotly.js brings one of its own that uploads the figure to its makers.
  const buttons = [["toImage"], ["zoom2d", "pan2d", "resetScale2d"]];

  async function unpack() {
    const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent), c => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
    script.remove();
  }

  // With a view box the drawing shrinks and grows with its card, on paper too, where nothing is drawn anew.
  function fit(holder) {
    for (const svg of holder.querySelectorAll("svg.main-svg")) {
      svg.setAttribute("viewBox", `0 0 ${svg.getAttribute("width")} ${svg.getAttribute("height")}`);
    }
    const { width, height } = holder._fullLayout;
    holder.style.setProperty("--ratio", `${width} / ${height}`);
  }

  try {
    await unpack();
    for (const holder of holders) {
      const { data, layout } = JSON.parse(holder.nextElementSibling.textContent);
      if (holder.clientWidth < NARROW && layout.xaxis.ticktext) layout.xaxis.tickangle = layout.xaxis.ticktext.length > 4 ? -90 : -45;
      const family = getComputedStyle(document.body).fontFamily;
      await Plotly.newPlot(holder, data, { ...layout, font: { ...layout.font, family }, dragmode: touch ? false : "zoom" }, {
        responsive: true, displaylogo: false, modeBarButtons: buttons, plotlyServerURL: "",
        toImageButtonOptions: { format: "svg", filename: holder.dataset.file },
      });
      holder.classList.add("drawn");
      holder.on("plotly_afterplot", () => fit(holder));
      fit(holder);
      await new Promise(resolve => setTimeout(resolve)); // so that the page stays alive between two figures
    }
  } catch (error) {
    for (const holder of holders.filter(each => !each.classList.contains("drawn"))) {
      holder.style.height = "auto";
      holder.textContent = `This browser cannot draw the figure (${error.message}); the folder ‘plots’ beside this page has it.`;
    }
  }
  document.documentElement.dataset.drawn = "yes";
})();
