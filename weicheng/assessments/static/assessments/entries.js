// The table of values: Enter and the arrows move down and up the column; a column copied from a sheet is spread out.
(() => {
  "use strict";
  const cells = () => Array.from(document.querySelectorAll("[data-entry]"));

  document.addEventListener("keydown", (event) => {
    const cell = event.target;
    if (!cell.matches || !cell.matches("[data-entry]") || event.isComposing) return;
    const step = { ArrowDown: 1, Enter: 1, ArrowUp: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = cells();
    const next = all[all.indexOf(cell) + (event.shiftKey && event.key === "Enter" ? -1 : step)];
    event.preventDefault();
    if (next) {
      next.focus();
      next.select();
    }
  });

  document.addEventListener("paste", (event) => {
    const cell = event.target;
    if (!cell.matches || !cell.matches("[data-entry]")) return;
    const lines = event.clipboardData.getData("text").replace(/\r?\n$/, "").split(/\r?\n/);
    if (lines.length < 2) return;
    event.preventDefault();
    const all = cells();
    let at = all.indexOf(cell);
    for (const line of lines) {
      if (at >= all.length) break;
      all[at].value = line.split("\t")[0].trim();
      at += 1;
    }
  });
})();
