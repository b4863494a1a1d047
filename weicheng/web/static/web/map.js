// Open cases on a map: letters and colours say the state, the list beside it says the same in words.
(() => {
  "use strict";
  const box = document.getElementById("map");
  const list = document.getElementById("map-list");
  const said = document.getElementById("map-said");
  if (!box || !window.L) return;
  const LISTED = 60;
  const CELL = 52; // pixels; points nearer than this are drawn as one until the map is as near as it gets
  const words = box.dataset;

  const map = L.map(box, { zoomControl: false, attributionControl: false, maxZoom: 18, minZoom: 4 });
  L.control.zoom({ zoomInTitle: words.zoomIn, zoomOutTitle: words.zoomOut }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  if (words.tiles) L.tileLayer(words.tiles, { maxZoom: 18 }).addTo(map);
  map.setView([34.26, 117.16], 12);

  // A page that names a place links here with a box: it is shown whatever cases there are elsewhere.
  const wanted = (new URLSearchParams(location.search).get("box") || "").split(",").map(Number);
  const opens =
    wanted.length === 4 && wanted.every(Number.isFinite)
      ? L.latLngBounds([wanted[1], wanted[0]], [wanted[3], wanted[2]])
      : null;

  const layer = L.layerGroup().addTo(map);
  let cases = [];
  let whole = false; // all there is has been loaded: moving asks for nothing
  let fitted = false;
  let asked = 0;

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  function pin(one) {
    const classes = ["wc-pin", `wc-tone-${one.tone}`];
    if (one.late) classes.push("wc-pin-late");
    return element("span", classes.join(" "), one.letter);
  }

  function popup(one) {
    const made = element("div");
    const link = element("a", "", one.title);
    link.href = one.url;
    made.append(link, element("div", "", `${one.number} · ${one.state}${one.due ? " · " + one.due : ""}`));
    if (one.place) made.append(element("div", "", one.place));
    if (one.unit) made.append(element("div", "", one.unit));
    return made;
  }

  function groups(shown) {
    const near = map.getZoom() >= map.getMaxZoom();
    const cells = new Map();
    for (const one of shown) {
      const at = map.project([one.lat, one.lon]);
      const key = near ? one.url : `${Math.floor(at.x / CELL)}:${Math.floor(at.y / CELL)}`;
      if (cells.has(key)) cells.get(key).push(one);
      else cells.set(key, [one]);
    }
    return [...cells.values()];
  }

  function draw() {
    const bounds = map.getBounds();
    const shown = cases.filter((one) => bounds.contains([one.lat, one.lon]));
    layer.clearLayers();
    for (const group of groups(shown)) {
      if (group.length < 3) {
        for (const one of group) {
          const icon = L.divIcon({ className: "", html: pin(one), iconSize: [24, 24] });
          L.marker([one.lat, one.lon], { icon, title: `${one.title} ${one.state}`, alt: one.title })
            .bindPopup(() => popup(one), { maxWidth: 260 })
            .addTo(layer);
        }
        continue;
      }
      const size = 30 + Math.min(26, Math.round(Math.sqrt(group.length) * 2));
      const mark = element("span", "wc-cluster", String(group.length));
      mark.style.width = `${size}px`;
      mark.style.height = `${size}px`;
      const middle = L.latLngBounds(group.map((one) => [one.lat, one.lon]));
      const icon = L.divIcon({ className: "", html: mark, iconSize: [size, size] });
      const title = words.cluster.replace("{n}", group.length);
      L.marker(middle.getCenter(), { icon, title, alt: title })
        .on("click", () => map.fitBounds(middle.pad(0.2), { maxZoom: map.getMaxZoom() }))
        .addTo(layer);
    }
    tell(shown);
  }

  function tell(shown) {
    list.replaceChildren(
      ...shown.slice(0, LISTED).map((one) => {
        const row = element("li", "wc-row");
        const text = element("div", "wc-row-text");
        const first = element("div", "wc-row-first");
        const link = element("a", "wc-row-title", one.title);
        link.href = one.url;
        first.append(link, element("span", `wc-badge wc-tone-${one.tone}`, one.state));
        if (one.due) first.append(element("span", `wc-badge wc-tone-${one.late ? "red" : "grey"}`, one.due));
        text.append(first, element("div", "wc-row-second", [one.number, one.place, one.unit].filter(Boolean).join(" · ")));
        row.append(text);
        return row;
      }),
    );
    const sentence = !shown.length ? words.none : whole ? words.some : words.more;
    said.textContent = sentence.replace("{n}", shown.length);
  }

  async function load() {
    const mine = ++asked;
    const bounds = map.getBounds();
    const query = fitted ? `?box=${bounds.toBBoxString()}` : "";
    try {
      const reply = await fetch(words.points + query, { headers: { Accept: "application/json" } });
      if (!reply.ok) throw new Error(String(reply.status));
      const data = await reply.json();
      if (mine !== asked) return;
      cases = data.cases;
      if (!fitted) {
        whole = !data.more;
        fitted = true;
        // The outer hundredth is left outside, so that one point far away does not shrink all others.
        if (opens) map.fitBounds(opens, { animate: false });
        else if (cases.length) map.fitBounds(inner(cases).pad(0.08), { maxZoom: 16, animate: false });
      }
      draw();
    } catch {
      said.textContent = words.broken;
    }
  }

  function inner(all) {
    const cut = (values) => {
      const sorted = values.sort((a, b) => a - b);
      const out = Math.floor(sorted.length / 100);
      return [sorted[out], sorted[sorted.length - 1 - out]];
    };
    const [south, north] = cut(all.map((one) => one.lat));
    const [west, east] = cut(all.map((one) => one.lon));
    return L.latLngBounds([south, west], [north, east]);
  }

  map.on("moveend", () => {
    if (!fitted) return;
    if (whole) draw();
    else load();
  });
  load();
})();
