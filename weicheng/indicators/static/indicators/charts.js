// Charts from the data beside them: the numbers stand in a JSON script, the same numbers in a table below.
(() => {
  "use strict";
  const drawn = new Map();

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function options(data, width) {
    const ink = colour("--wc-ink-2");
    const line = colour("--wc-line");
    const narrow = width < 480;
    const font = getComputedStyle(document.body).fontFamily;
    const tones = [colour("--wc-accent"), colour("--wc-orange"), colour("--wc-ink-2")];
    const scale = {
      type: "value",
      minInterval: 1,
      axisLabel: { color: ink, fontFamily: font },
      splitLine: { lineStyle: { color: line } },
    };
    // Marks out of a hundred beside counts: a scale of their own, from their own lowest.
    const right = { ...scale, scale: true, splitLine: { show: false } };
    return {
      textStyle: { fontFamily: font, color: ink, fontSize: 13 },
      color: tones,
      animation: false,
      aria: { enabled: true },
      grid: { left: 8, right: 8, top: 16, bottom: 8, containLabel: true },
      xAxis: {
        type: "category",
        data: data.labels,
        axisLabel: { color: ink, fontFamily: font, hideOverlap: true, interval: narrow ? 1 : 0 },
        axisLine: { lineStyle: { color: line } },
        axisTick: { show: false },
      },
      yAxis: data.series.some((one) => one.scale === "right") ? [scale, right] : scale,
      // Bars beside a line with marks: told apart without colour.
      series: data.series.map((one, at) => ({
        name: one.name,
        type: at ? "line" : "bar",
        data: one.values,
        barMaxWidth: 26,
        yAxisIndex: one.scale === "right" ? 1 : 0,
        symbol: one.scale === "right" ? "triangle" : "circle",
        symbolSize: 7,
        lineStyle: { width: 2, type: one.scale === "right" ? "dashed" : "solid" },
      })),
    };
  }

  async function draw(box) {
    const source = document.getElementById(box.dataset.chart);
    if (!source || !window.echarts) return;
    // A canvas drawn before the font has come would keep the wrong one.
    await document.fonts.ready;
    const data = JSON.parse(source.textContent);
    const chart = drawn.get(box) || window.echarts.init(box, null, { renderer: "canvas" });
    drawn.set(box, chart);
    chart.setOption(options(data, box.clientWidth), true);
  }

  function all() {
    for (const [box, chart] of drawn) {
      if (box.isConnected) continue;
      chart.dispose();
      drawn.delete(box);
    }
    for (const box of document.querySelectorAll("[data-chart]")) if (!drawn.has(box)) draw(box);
  }

  document.addEventListener("htmx:after:swap", all);
  document.addEventListener("wc:theme", () => drawn.forEach((_chart, box) => draw(box)));
  window.addEventListener("resize", () => drawn.forEach((chart) => chart.resize()));
  all();
})();
