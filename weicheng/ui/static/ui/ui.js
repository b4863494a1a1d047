// What every page needs: theme, drop-downs, confirmations, toasts, CSRF for htmx, photo previews, position.
(() => {
  "use strict";
  const root = document.documentElement;
  const say = (name) => document.body.dataset[name] || "";

  // --- toasts -----------------------------------------------------------------------------------
  function toast(sentence) {
    const place = document.getElementById("toasts");
    if (!place || !sentence) return;
    const note = document.createElement("div");
    note.className = "wc-note wc-note-error";
    const text = document.createElement("div");
    text.textContent = sentence;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "wc-tool wc-tool-small";
    close.dataset.dismiss = "";
    close.setAttribute("aria-label", say("close"));
    close.textContent = "×";
    note.append(text, close);
    place.replaceChildren(note);
  }
  window.weicheng = { toast };

  // --- clicks -----------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const target = event.target;
    if (!(target instanceof Element)) return;
    for (const open of document.querySelectorAll("details.wc-drop[open]")) {
      if (!open.contains(target)) open.open = false;
    }
    if (target.closest("[data-theme-switch]")) {
      const next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
      root.setAttribute("data-bs-theme", next);
      try {
        localStorage.setItem("wc-theme", next);
      } catch {
        // Kept for this page only.
      }
      document.dispatchEvent(new CustomEvent("wc:theme", { detail: next }));
    }
    if (target.closest("[data-dismiss]")) target.closest(".wc-note")?.remove();
    if (target.closest("[data-print]")) window.print();
    const asked = target.closest("[data-confirm]");
    if (asked && !window.confirm(asked.dataset.confirm)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    const taking = target.closest("[data-place-take]");
    if (taking) takePlace(taking.closest("[data-place]"));
  }, true);

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const open of document.querySelectorAll("details.wc-drop[open]")) {
      open.open = false;
      open.querySelector("summary")?.focus();
    }
  });

  // A second tap while the first is under way would send a form twice. htmx forms are held by htmx itself.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]") || event.defaultPrevented) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("[data-sent]")) delete form.dataset.sent;
  });

  // --- htmx -------------------------------------------------------------------------------------
  document.addEventListener("htmx:config:request", (event) => {
    const request = event.detail.ctx.request;
    const token = document.querySelector("meta[name=csrf-token]");
    if (token && !/^(GET|HEAD)$/.test(request.method)) request.headers["X-CSRFToken"] = token.content;
  });
  document.addEventListener("htmx:before:request", (event) => {
    event.target?.setAttribute?.("aria-busy", "true");
  });
  document.addEventListener("htmx:finally:request", (event) => {
    event.target?.removeAttribute?.("aria-busy");
    if (event.target?.dataset) delete event.target.dataset.sent;
  });
  document.addEventListener("htmx:after:request", (event) => {
    const ctx = event.detail.ctx;
    const status = ctx.response?.status || 0;
    if (status < 400) return;
    const whole = /^\s*<!doctype/i.test(ctx.text || "");
    const page = whole ? new DOMParser().parseFromString(ctx.text, "text/html") : null;
    if (whole && ctx.select && page.querySelector(ctx.select)) return;
    if (!whole && status === 422) return;
    if (!whole && (status === 400 || status === 409)) return;
    // A whole error page has no place inside a fragment: its sentence is shown, the page stays.
    if (whole) ctx.swap = "none";
    const sentence = page?.querySelector("[data-sentence]")?.textContent.trim();
    toast(sentence || say(status === 401 ? "signedOut" : status >= 500 ? "broken" : "refused"));
  });
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx && !event.detail.ctx.response) toast(say("offline"));
  });

  // Open drop-downs and the focus survive a swap, by their ids.
  let kept = null;
  document.addEventListener("htmx:before:swap", () => {
    kept = {
      open: [...document.querySelectorAll("details[data-keep-open][open]")].map((one) => one.id),
      focus: document.activeElement?.id || "",
    };
  });
  document.addEventListener("htmx:after:swap", () => {
    if (kept) {
      for (const id of kept.open) document.getElementById(id)?.setAttribute("open", "");
      const before = kept.focus && document.getElementById(kept.focus);
      if (before && document.activeElement !== before) before.focus({ preventScroll: true });
      kept = null;
    }
    ready(document);
  });

  // --- photos -----------------------------------------------------------------------------------
  document.addEventListener("change", (event) => {
    const box = event.target.closest?.("[data-photo]");
    if (!box || event.target.type !== "file") return;
    const shown = box.querySelector("[data-photo-shown]");
    for (const image of shown.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    shown.replaceChildren(
      ...[...event.target.files].map((file) => {
        const figure = document.createElement("figure");
        if (file.type.startsWith("image/")) {
          const image = document.createElement("img");
          image.src = URL.createObjectURL(file);
          image.alt = file.name;
          figure.append(image);
        }
        const words = document.createElement("figcaption");
        words.textContent = `${file.name} · ${Math.max(1, Math.round(file.size / 1024)).toLocaleString()} KB`;
        figure.append(words);
        return figure;
      }),
    );
  });

  // --- position ---------------------------------------------------------------------------------
  function takePlace(box) {
    const said = box.querySelector("[data-place-said]");
    if (!navigator.geolocation) {
      said.textContent = box.dataset.missing;
      return;
    }
    said.textContent = box.dataset.waiting;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        const inputs = box.querySelectorAll("input[type=hidden]");
        const metres = Math.round(coords.accuracy);
        [coords.longitude.toFixed(7), coords.latitude.toFixed(7), metres].forEach((value, at) => {
          inputs[at].value = value;
        });
        said.textContent = box.dataset.found.replace("{metres}", metres);
        box.dispatchEvent(new CustomEvent("wc:place", { bubbles: true, detail: coords }));
      },
      (error) => {
        said.textContent = error.code === error.PERMISSION_DENIED ? box.dataset.denied : box.dataset.failed;
      },
      { enableHighAccuracy: true, timeout: 15000, maximumAge: 30000 },
    );
  }

  // --- long choices -----------------------------------------------------------------------------
  function narrowing(select) {
    select.dataset.searchable = "on";
    if (select.options.length < 13) return;
    const box = document.createElement("input");
    box.type = "search";
    box.className = "form-control wc-narrow";
    box.autocomplete = "off";
    box.setAttribute("aria-label", say("narrow"));
    box.placeholder = say("narrow");
    const all = [...select.options];
    box.addEventListener("input", () => {
      const words = box.value.trim().toLowerCase();
      const fit = all.filter((one) => !words || one.selected || one.text.toLowerCase().includes(words));
      select.replaceChildren(...fit);
    });
    select.before(box);
  }

  // --- first things -----------------------------------------------------------------------------
  function ready(part) {
    for (const select of part.querySelectorAll('select[data-searchable=""]')) narrowing(select);
    part.querySelector("[data-focus]:not([data-focused])")?.focus();
    for (const one of part.querySelectorAll("[data-focus]")) one.dataset.focused = "1";
    // The filters lie open where there is room; on the phone they fold behind their button.
    const fold = part.querySelector("details.wc-fold");
    if (fold && !matchMedia("(max-width: 767.98px)").matches) fold.open = true;
  }
  ready(document);
})();
