// Sends chosen photos in parts, shows how far they are, goes on after a broken connection.
//
//   <form data-upload="finding" data-upload-owner="{{ uid }}" data-upload-purpose="before"> … a file field …
//
// The original goes byte for byte; nothing is shrunk here. A photo that has arrived is taken out of the file
// field, so that the form does not send it again; one that could not be sent stays in it and travels with the
// form itself. Without this script, or on a page without these attributes, everything travels with the form.
(() => {
  "use strict";
  const WAITS = [1000, 3000, 8000]; // ms before each new try
  const words = document.currentScript ? document.currentScript.dataset : {};
  const say = (key, fallback) => words[key] || fallback;

  const token = () => document.querySelector('meta[name="csrf-token"]')?.content || "";
  const pause = (ms) => new Promise((go) => setTimeout(go, ms));

  // A refusal of the server: trying again will not help.
  class Refused extends Error {}

  async function ask(address, options = {}) {
    for (let tries = 0; ; tries += 1) {
      try {
        const reply = await fetch(address, {
          credentials: "same-origin",
          ...options,
          headers: { "X-CSRFToken": token(), Accept: "application/json", ...options.headers },
        });
        if (reply.status < 500) {
          const told = await reply.json().catch(() => ({}));
          if (reply.ok) return told;
          const refusal = new Refused(told.sentence || say("refused", "服务器没有接收这张照片。请刷新页面后重试。"));
          refusal.code = told.code || "";
          refusal.numbers = told.details?.numbers || [];
          throw refusal;
        }
      } catch (error) {
        if (error instanceof Refused || tries >= WAITS.length) throw error;
      }
      if (tries >= WAITS.length) throw new Error("unreachable");
      await pause(WAITS[tries]);
    }
  }

  // The uid of a file is remembered while the tab lives: chosen again after a reload, it goes on where it was.
  function uidOf(file, owner, purpose) {
    const key = ["weicheng.upload", owner, purpose, file.name, file.size, file.lastModified].join("/");
    let uid = null;
    try {
      uid = sessionStorage.getItem(key);
    } catch {
      // storage may be forbidden; then a reload begins anew
    }
    if (!uid) {
      uid = makeUid();
      try {
        sessionStorage.setItem(key, uid);
      } catch {
        // as above
      }
    }
    return { uid, forget: () => { try { sessionStorage.removeItem(key); } catch { /* as above */ } } };
  }

  // crypto.randomUUID exists on https and localhost only; a district's server may be plain http inside its net.
  function makeUid() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
  }

  async function send(file, form, shown) {
    const { upload: kind, uploadOwner: owner, uploadPurpose: purpose } = form.dataset;
    const known = uidOf(file, owner, purpose);
    const place = placeOf(form);
    const announced = {
      uid: known.uid, owner_kind: kind, owner_uid: owner, purpose,
      filename: file.name, size: file.size, device_at: new Date().toISOString(), ...place,
    };
    try {
      let status = await ask("/uploads", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(announced),
      });
      // Twice: parts that the server lost meanwhile are named by it and sent again.
      for (let round = 0; round < 2; round += 1) {
        const have = new Set(status.have);
        for (let number = 0; number < status.part_count; number += 1) {
          shown.value(Math.min(number * status.part_size, file.size) / file.size);
          if (have.has(number)) continue;
          const from = number * status.part_size;
          await ask(`/uploads/${known.uid}/parts/${number}`, {
            method: "PUT",
            headers: { "Content-Type": "application/octet-stream" },
            body: file.slice(from, from + status.part_size),
          });
        }
        shown.value(1);
        try {
          const done = await ask(`/uploads/${known.uid}/finish`, { method: "POST" });
          known.forget();
          return done;
        } catch (error) {
          if (error.code !== "parts-missing" && error.code !== "digest-mismatch") throw error;
          status = await ask(`/uploads/${known.uid}`);
        }
      }
      throw new Error("parts kept missing");
    } catch (error) {
      if (error instanceof Refused) known.forget();
      throw error;
    }
  }

  function placeOf(form) {
    const place = {};
    const box = form.querySelector("[data-place]");
    const numbers = box ? [...box.querySelectorAll('input[type="hidden"]')].map((field) => field.value) : [];
    if (numbers.length >= 2 && numbers[0] && numbers[1]) {
      [place.lon, place.lat] = numbers;
      if (numbers[2]) place.accuracy_m = numbers[2];
      place.datum = "WGS84";
    }
    return place;
  }

  // One line under the field for each file: a bar, then a sentence.
  function line(list, file) {
    const row = document.createElement("li");
    const name = document.createElement("span");
    const bar = document.createElement("progress");
    const said = document.createElement("span");
    name.textContent = file.name;
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    row.append(name, " ", bar, " ", said);
    list.append(row);
    return {
      value: (share) => { bar.value = share; },
      done: (told) => {
        bar.remove();
        said.textContent = say("done", "已上传");
        for (const remark of told.remarks || []) said.append(` · ${remark}`);
        if (told.used_url) {
          const link = document.createElement("a");
          link.href = told.used_url;
          link.textContent = `${say("used", "此照片曾用于")}“${told.used_label}”`;
          said.append(" · ", link);
        }
      },
      failed: (sentence) => {
        bar.remove();
        row.className = "wc-error";
        said.textContent = sentence;
      },
    };
  }

  // A file field is replaced as a whole; where the browser cannot, it stays as it is and the form sends all.
  function keepOnly(field, files) {
    const left = new DataTransfer();
    for (const file of files) left.items.add(file);
    field.files = left.files;
  }

  const busy = new WeakMap(); // form -> number of fields being sent

  async function take(field, form) {
    let list = form.querySelector("[data-upload-list]");
    if (!list) {
      list = document.createElement("ul");
      list.dataset.uploadList = "";
      list.className = "list-unstyled";
      list.setAttribute("aria-live", "polite");
      (field.closest("[data-photo]") || field).after(list);
    }
    const files = [...field.files];
    const left = [];
    busy.set(form, (busy.get(form) || 0) + 1);
    try {
      for (const file of files) {
        const shown = line(list, file);
        try {
          shown.done(await send(file, form, shown));
        } catch (error) {
          // A refused photo would be refused again with the form; one that found no signal may arrive with it.
          if (error instanceof Refused) shown.failed(error.message);
          else {
            left.push(file);
            shown.failed(say("later", "没有传完，将随表单一起提交。"));
          }
        }
      }
      keepOnly(field, left);
      form.dispatchEvent(new CustomEvent("weicheng:uploaded", { bubbles: true }));
    } finally {
      busy.set(form, busy.get(form) - 1);
      if (!busy.get(form) && form.dataset.uploadSubmit) {
        delete form.dataset.uploadSubmit;
        form.requestSubmit();
      }
    }
  }

  document.addEventListener("change", (event) => {
    const field = event.target;
    const form = field.form;
    if (field.type !== "file" || !form?.dataset.upload || !field.files.length) return;
    take(field, form);
  });

  // Sent while photos are on their way: it waits for them and goes by itself.
  document.addEventListener(
    "submit",
    (event) => {
      if (!busy.get(event.target)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      event.target.dataset.uploadSubmit = "1";
    },
    true,
  );
})();
