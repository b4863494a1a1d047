// Runs before the first paint, so that a dark page does not flash white.
(() => {
  "use strict";
  let chosen = null;
  try {
    chosen = localStorage.getItem("wc-theme");
  } catch {
    // A browser that forbids storage still gets the device's own theme.
  }
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.setAttribute("data-bs-theme", dark ? "dark" : "light");
  document.documentElement.classList.add("wc-js");
})();
