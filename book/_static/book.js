// Two conveniences; without this script nothing is out of reach.

// One click unfolds all code of a page, one more folds it again.
document.addEventListener("DOMContentLoaded", () => {
  const folded = [...document.querySelectorAll("details.hide")];
  const title = document.querySelector("article h1");
  if (!folded.length || !title) return;
  const button = document.createElement("button");
  button.className = "code-switch";
  const say = () => { button.textContent = folded.some((part) => !part.open) ? "Show all code" : "Hide all code"; };
  button.addEventListener("click", () => {
    const open = folded.some((part) => !part.open);
    for (const part of folded) part.open = open;
    say();
  });
  for (const part of folded) part.addEventListener("toggle", say);
  say();
  title.after(button);
});

// Filters the tables of the page "Paper against this run".
document.addEventListener("DOMContentLoaded", () => {
  const box = document.querySelector(".claims-filter");
  if (!box) return;
  const tables = [...document.querySelectorAll(".claims-run")];
  const rows = tables.flatMap((table) => [...table.querySelectorAll("tr[data-verdict]")]);
  const facts = (row) => ({ ...row.closest(".claims-run").dataset, verdict: row.dataset.verdict });
  const chosen = {};

  const count = document.createElement("span");
  count.setAttribute("role", "status");

  const update = () => {
    for (const row of rows) {
      row.hidden = Object.entries(chosen).some(([key, value]) => value && facts(row)[key] !== value);
    }
    for (const table of tables) {
      table.hidden = !table.querySelector("tr[data-verdict]:not([hidden])");
    }
    for (const section of new Set(tables.map((table) => table.closest("section")))) {
      section.hidden = !section.querySelector(".claims-run:not([hidden])");
    }
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  };

  for (const key of ["paper", "run", "kind", "verdict"]) {
    const select = document.createElement("select");
    select.name = key;
    select.add(new Option("all", ""));
    for (const value of new Set(rows.map((row) => facts(row)[key]))) select.add(new Option(value, value));
    select.addEventListener("change", () => { chosen[key] = select.value; update(); });
    const label = document.createElement("label");
    label.append(`${key} `, select);
    box.append(label);
  }
  box.append(count);
  update();
});
