/* A visit's check list: number keys answer, j and k move, each line saves itself; what is not saved stays and says so. */
(() => {
  "use strict";
  const form = document.querySelector("[data-answers]");
  if (!form) return;
  const lines = () => [...form.querySelectorAll("[data-answer]")];
  const lineOf = (node) => (node instanceof Element ? node.closest("[data-answer]") : null);
  const answered = (line) => Boolean(line.querySelector("input[type=radio]:checked"));
  const changed = (field) => field.dispatchEvent(new Event("change", { bubbles: true }));
  let at = null;

  function go(line) {
    if (!line) return;
    at?.classList.remove("wc-at");
    at = line;
    line.classList.add("wc-at");
    line.focus({ preventScroll: true });
    line.scrollIntoView({ block: "nearest" });
  }
  const firstOpen = () => lines().find((line) => !answered(line));
  const beside = (line, way) => {
    const all = lines();
    return line ? all[all.indexOf(line) + way] : firstOpen() || all[0];
  };
  // The next line to answer: below first, then what was passed over above.
  const next = (line) => {
    const all = lines();
    const place = all.indexOf(line);
    return [...all.slice(place + 1), ...all.slice(0, place)].find((one) => !answered(one)) || all[place + 1];
  };

  // --- keys -------------------------------------------------------------------------------------
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const field = event.target;
    const typing = field.matches?.("input:not([type=radio]), textarea, select");
    const line = lineOf(field) || at;
    if (typing) {
      if (event.key === "Escape" && line) go(line);
      return;
    }
    const pressed = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (pressed) {
      event.preventDefault();
      go(beside(line, pressed));
    } else if (event.key === "g") {
      event.preventDefault();
      go(firstOpen());
    } else if (/^[1-4]$/.test(event.key)) {
      const here = line || firstOpen();
      const radio = here?.querySelector(`input[data-key="${event.key}"]`);
      if (!radio) return;
      event.preventDefault();
      if (!radio.checked) {
        radio.checked = true;
        changed(radio);
      }
      go(/^[14]$/.test(event.key) ? next(here) || here : here);
    } else if (line && "+=-".includes(event.key)) {
      event.preventDefault();
      line.querySelector(event.key === "-" ? "[data-less]" : "[data-more]")?.click();
    } else if (line && event.key === "n") {
      event.preventDefault();
      line.querySelector(".wc-answer-more").open = true;
      line.querySelector("textarea")?.focus();
    } else if (line && event.key === "p") {
      event.preventDefault();
      line.querySelector("input[type=file]")?.click();
    }
  });

  // --- clicks and choices -------------------------------------------------------------------------
  form.addEventListener("click", (event) => {
    const line = lineOf(event.target);
    const step = event.target.closest("[data-less]") ? -1 : event.target.closest("[data-more]") ? 1 : 0;
    if (step) {
      const count = line.querySelector("input[type=number]");
      const now = Math.min(99, Math.max(1, (Number(count.value) || 1) + step));
      if (String(now) === count.value) return;
      count.value = now;
      changed(count);
    }
    if (event.target.closest("[data-now]")) {
      const moment = event.target.closest("div").querySelector("input");
      const local = new Date(Date.now() - new Date().getTimezoneOffset() * 60000);
      moment.value = local.toISOString().slice(0, 16);
      changed(moment);
    }
    if (event.target.closest("[data-first-open]")) {
      event.preventDefault();
      go(firstOpen());
    }
  });
  form.addEventListener("change", (event) => {
    const line = lineOf(event.target);
    if (line) line.dataset.unsaved = "changed";
    if (line && ["partly", "fail"].includes(line.querySelector("input[type=radio]:checked")?.value)) {
      line.querySelector(".wc-answer-more").open = true;
    }
  }, true);

  // --- saving -------------------------------------------------------------------------------------
  // htmx sends the whole form; only the line that changed is meant, with the version that is on the page now.
  function onlyLine(line, body) {
    const meant = new FormData();
    for (const [name, value] of body.entries()) {
      if (name.startsWith(`${line.id}-`) || ["only", "spot", "csrfmiddlewaretoken"].includes(name)) meant.append(name, value);
    }
    return meant;
  }
  document.addEventListener("htmx:config:request", (event) => {
    const line = lineOf(event.target);
    const request = event.detail.ctx?.request;
    if (line && request?.body instanceof FormData) request.body = onlyLine(line, request.body);
  });
  document.addEventListener("htmx:before:request", (event) => {
    const line = lineOf(event.target);
    const body = event.detail.ctx?.request?.body;
    const base = line?.querySelector(`[name="${line.id}-base"]`);
    if (base && body instanceof FormData) body.set(base.name, base.value);
    if (line) line.dataset.unsaved = "sent";
  });
  document.addEventListener("htmx:after:request", (event) => {
    const line = lineOf(event.target);
    const status = event.detail.ctx?.response?.status || 0;
    if (!line || !status) return;
    if (status >= 400) {
      line.dataset.unsaved = status < 500 ? "refused" : "later";
      return;
    }
    delete line.dataset.unsaved;
    for (const file of line.querySelectorAll("input[type=file]")) file.value = "";
    const said = line.querySelector("input[type=radio]:checked")?.value;
    line.classList.remove("wc-answer-green", "wc-answer-orange", "wc-answer-red", "wc-answer-grey", "wc-field-faulty");
    const kind = line.querySelector(`[name="${line.id}-category"]`)?.value;
    if (kind) {
      for (const other of form.querySelectorAll('[name$="-category"]')) other.value ||= kind;
    }
    const tone = { pass: "green", partly: "orange", fail: "red", na: "grey" }[said];
    if (tone) line.classList.add(`wc-answer-${tone}`);
  });
  document.addEventListener("htmx:error", (event) => {
    const line = lineOf(event.target);
    if (!line || event.detail.ctx?.response) return;
    line.dataset.unsaved = "later";
    const said = document.createElement("p");
    said.className = "wc-error";
    said.textContent = form.dataset.offlineWords;
    const state = line.querySelector("[data-state]");
    state.querySelector(".wc-error")?.remove();
    state.append(said);
  });
  // What was pressed before the page was ready, or while there was no connection, is sent when it can be.
  window.setInterval(() => {
    if (!navigator.onLine) return;
    for (const line of form.querySelectorAll('[data-unsaved="changed"], [data-unsaved="later"]')) changed(line);
  }, 4000);
  window.addEventListener("beforeunload", (event) => {
    if (!form.dataset.sent && form.querySelector("[data-unsaved]")) event.preventDefault();
  });
  form.addEventListener("submit", () => { form.dataset.sent = "1"; });
})();
