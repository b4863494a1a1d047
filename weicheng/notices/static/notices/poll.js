// Tell every element with data-poll-s when its seconds have passed: htmx asks again on "wc-poll". A page out of
// sight asks nothing; back in sight it asks at the next tick. htmx's own "every … [condition]" needs eval, which
// the content security policy forbids.
(() => {
  "use strict";
  if (window.weichengPolls) return; // a page may load this twice
  window.weichengPolls = true;
  const asked = new WeakMap();
  window.setInterval(() => {
    if (document.hidden) return;
    const now = performance.now();
    for (const element of document.querySelectorAll("[data-poll-s]")) {
      if (!asked.has(element)) asked.set(element, now);
      if (now - asked.get(element) < Number(element.dataset.pollS) * 1000) continue;
      asked.set(element, now);
      element.dispatchEvent(new CustomEvent("wc-poll"));
    }
  }, 1000);
})();
