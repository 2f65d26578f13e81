"use strict";
// The page is complete without this: it adds the filter, whose state lives in the address, copy buttons, and unfolding.
(() => {
  for (const place of document.querySelectorAll(".copy")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const code = place.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    place.append(button);
  }

  // A link to a finding that is folded opens it.
  const unfold = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") {
      target.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", unfold);
  unfold();

  const form = document.getElementById("filter");
  const table = document.getElementById("results");
  if (!form || !table) return;
  const fields = ["initializer", "claim", "verdict"];
  const byRow = table.dataset.rows;
  const byColumn = byRow === "claim" ? "initializer" : "claim";
  const heads = [...table.tHead.rows[0].cells].slice(1);
  const rows = [...table.tBodies[0].rows];
  const nameOf = (cell) => cell.textContent.toLowerCase();

  const apply = () => {
    const wanted = (name) => form.elements[name].value.trim().toLowerCase();
    const verdict = form.elements.verdict.value;
    let columns = heads.map((head) => nameOf(head).includes(wanted(byColumn)));
    const named = rows.filter((row) => nameOf(row.cells[0]).includes(wanted(byRow)));
    const matches = (row, k) => columns[k] && (!verdict || row.cells[k + 1].className === verdict);
    const shown = new Set(named.filter((row) => heads.some((_, k) => matches(row, k))));
    if (verdict) columns = columns.map((on, k) => on && [...shown].some((row) => row.cells[k + 1].className === verdict));
    heads.forEach((head, k) => { head.hidden = !columns[k]; });
    for (const row of rows) {
      row.hidden = !shown.has(row);
      heads.forEach((_, k) => { row.cells[k + 1].hidden = !columns[k]; });
    }
    const width = columns.filter(Boolean).length;
    form.querySelector("output").textContent = `${shown.size} of ${rows.length} ${byRow}s, ${width} of ${heads.length} ${byColumn}s`;
  };

  const read = () => {
    // A link to a section carries no filter and leaves the one that is set alone.
    if (location.hash.length > 1 && !location.hash.includes("=")) return;
    const given = new URLSearchParams(location.hash.slice(1));
    for (const name of fields) form.elements[name].value = given.get(name) ?? "";
    apply();
  };

  const write = () => {
    const given = new URLSearchParams();
    for (const name of fields) if (form.elements[name].value) given.set(name, form.elements[name].value);
    history.replaceState(null, "", given.size ? `#${given}` : location.pathname + location.search);
    apply();
  };

  // What fits a screen, or is one column, needs no filter, unless a link brings one.
  form.hidden = (rows.length <= 12 || heads.length === 1) && !location.hash.includes("=");
  form.addEventListener("input", write);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(write));
  addEventListener("hashchange", read);
  apply();
  read();
})();
