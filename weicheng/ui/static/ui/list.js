// Keyboard, selection and instant filters of a list. Everything also works without it.
(() => {
  "use strict";
  const list = () => document.getElementById("list");
  const rows = () => [...(list()?.querySelectorAll("tr[data-row]") || [])];
  let at = -1;

  function go(to) {
    const all = rows();
    if (!all.length) return;
    at = Math.max(0, Math.min(all.length - 1, to));
    for (const row of all) row.classList.remove("wc-at");
    all[at].classList.add("wc-at");
    all[at].scrollIntoView({ block: "nearest" });
    all[at].querySelector("td a")?.focus({ preventScroll: true });
  }

  function selection() {
    const part = list();
    const boxes = [...(part?.querySelectorAll("[data-select]") || [])];
    const chosen = boxes.filter((box) => box.checked);
    for (const box of boxes) box.closest("tr").classList.toggle("wc-chosen", box.checked);
    const bar = part?.querySelector("[data-batch]");
    if (bar) {
      bar.hidden = chosen.length === 0;
      bar.querySelector("[data-selected]").textContent = chosen.length;
    }
    const all = part?.querySelector("[data-select-page]");
    if (all) {
      all.checked = boxes.length > 0 && chosen.length === boxes.length;
      all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
    }
  }

  document.addEventListener("change", (event) => {
    const target = event.target;
    if (!list()?.contains(target)) return;
    if (target.matches("[data-select-page]")) {
      for (const box of list().querySelectorAll("[data-select]")) box.checked = target.checked;
    }
    if (target.matches("[data-select], [data-select-page]")) selection();
    if (target.matches("[data-auto]")) target.form.requestSubmit();
    if (target.matches("[data-column]")) {
      const form = target.form;
      const keys = [...form.querySelectorAll("[data-column]:checked")].map((box) => box.value);
      form.querySelector("[data-columns-value]").value = keys.join(",");
      form.requestSubmit();
    }
  });

  document.addEventListener("click", (event) => {
    const target = event.target;
    if (!(target instanceof Element) || !list()?.contains(target)) return;
    // On the phone a row is a card: anywhere on it opens it.
    const card = matchMedia("(max-width: 575.98px)").matches && target.closest("tr[data-href]");
    if (card && !target.closest("a, button, input, label")) location.assign(card.dataset.href);
    if (target.closest("[data-keys]")) list().querySelector("[data-keys-help]").showModal();
    if (target.closest("[data-select-none]")) {
      for (const box of list().querySelectorAll("[data-select]")) box.checked = false;
      selection();
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !list()) return;
    if (event.target.closest?.("input, textarea, select, dialog, [contenteditable]")) return;
    const part = list();
    const acts = {
      j: () => go(at + 1),
      k: () => go(at - 1),
      n: () => part.querySelector("[data-page=next]")?.click(),
      p: () => part.querySelector("[data-page=previous]")?.click(),
      x: () => rows()[at]?.querySelector("[data-select]")?.click(),
      "/": () => part.querySelector("[data-search]")?.focus(),
      "?": () => part.querySelector("[data-keys-help]")?.showModal(),
    };
    if (event.key === "Enter" && at >= 0 && (event.target === document.body || rows()[at]?.contains(event.target))) {
      if (event.target.closest("a, button, summary")) return;
      const address = rows()[at]?.dataset.href;
      if (address) location.assign(address);
      return;
    }
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  });

  document.addEventListener("htmx:after:swap", () => {
    at = -1;
    selection();
    const part = list();
    if (part && part.getBoundingClientRect().top < -8) part.scrollIntoView();
  });
  selection();
})();
