/* The finding form: says when the phone says it was, asks where the phone is, offers what is near. */
(() => {
  "use strict";
  const form = document.querySelector("[data-finding]");
  if (!form) return;
  const field = (name) => form.elements.namedItem(name);
  const severities = JSON.parse(document.getElementById("severities").textContent);

  // The list of all kinds is only in the way while one of the buttons fits.
  const other = field("category").closest("[data-field]") || field("category").parentElement;
  const kindChosen = () => {
    const kind = form.querySelector("input[name=kind]:checked");
    other.hidden = !(kind && kind.value === "other");
    const severity = kind && severities[kind.value];
    if (severity && !form.dataset.severityTouched) {
      const pill = form.querySelector(`input[name=severity][value="${CSS.escape(severity)}"]`);
      if (pill) pill.checked = true;
    }
  };
  form.addEventListener("change", (event) => {
    if (event.target.name === "kind") kindChosen();
    if (event.target.name === "severity") form.dataset.severityTouched = "1";
    if (event.target.name === "area" || event.target.name === "unit") form.dataset.placeTouched = "1";
    if (event.target.name === "area") unitsOf(event.target.value).catch(() => {});
  });
  kindChosen();
  // A scanned code or a running visit has said where this is; the phone's own guess does not change it.
  if (field("unit").value || field("visit").value) form.dataset.placeTouched = "1";

  // The units offered are those of the place chosen; one already chosen stays, wherever it is.
  const unitsOf = async (area) => {
    const answer = await fetch(`${form.dataset.units}?area=${encodeURIComponent(area)}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const { units } = await answer.json();
    const select = field("unit");
    const kept = [...select.options].filter((option) => option.value === "" || option.selected);
    const fresh = units.filter((unit) => !kept.some((option) => option.value === unit.uid))
      .map((unit) => new Option(unit.name, unit.uid));
    select.replaceChildren(...kept, ...fresh);
  };

  form.addEventListener("submit", () => {
    field("device_at").value = new Date().toISOString();
  });

  // Near a known unit its community is filled in; what the person has chosen is never changed.
  const near = async (lon, lat) => {
    const answer = await fetch(`${form.dataset.nearby}?lon=${lon}&lat=${lat}`, { headers: { Accept: "application/json" } });
    if (!answer.ok || form.dataset.placeTouched) return;
    const { units } = await answer.json();
    if (!units.length) return;
    const area = field("area");
    if ([...area.options].some((option) => option.value === units[0].area)) {
      area.value = units[0].area;
      area.dispatchEvent(new Event("change", { bubbles: true }));
      delete form.dataset.placeTouched;
    }
    if (!field("address").value) field("address").value = units[0].address || units[0].name;
  };
  const lon = form.querySelector("[name=place_lon]");
  const lat = form.querySelector("[name=place_lat]");
  form.addEventListener("wc:place", () => { if (lon.value && lat.value) near(lon.value, lat.value).catch(() => {}); });
  // Asked at once only where the person has allowed it before: a question nobody expects is refused.
  if (navigator.permissions && !lon.value) {
    navigator.permissions.query({ name: "geolocation" }).then((status) => {
      const take = form.querySelector("[data-place-take]");
      if (status.state === "granted" && take) take.click();
    }).catch(() => {});
  }
})();
