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

// Shows what a link within the book leads to: terms, references, figures, functions. Loaded when first asked for.
document.addEventListener("DOMContentLoaded", () => {
  const root = new URL(document.documentElement.dataset.content_root || "./", location.href);
  const box = document.createElement("div");
  box.className = "preview";
  box.id = "preview";
  box.setAttribute("role", "tooltip");
  box.hidden = true;
  document.body.append(box);
  let loaded, waiting, asked;

  const load = () => loaded ??= new Promise((done) => {
    const script = document.createElement("script");
    script.src = new URL("_static/previews.js", root);
    script.onload = () => done(window.bookPreviews);
    script.onerror = () => done({});
    document.head.append(script);
  });

  const target = (link) => {
    const url = new URL(link.href);
    return url.hash && url.href.startsWith(root.href) ? decodeURI(url.pathname.slice(root.pathname.length) + url.hash) : "";
  };

  const hide = () => {
    clearTimeout(waiting);
    box.hidden = true;
    asked?.removeAttribute("aria-describedby");
    asked = null;
  };

  const show = async (link) => {
    const html = (await load())[target(link)];
    if (!html || asked !== link) return;  // the reader has moved on
    box.innerHTML = html;
    for (const image of box.querySelectorAll("img")) image.src = new URL(image.getAttribute("src"), root);
    box.hidden = false;
    window.MathJax?.typesetPromise?.([box]);
    link.setAttribute("aria-describedby", box.id);
    const place = link.getBoundingClientRect();
    const above = place.top > window.innerHeight / 2;
    const left = Math.max(8, Math.min(place.left, document.documentElement.clientWidth - box.offsetWidth - 8));
    box.style.left = `${left}px`;
    box.style.top = above ? "" : `${place.bottom + 6}px`;
    box.style.bottom = above ? `${window.innerHeight - place.top + 6}px` : "";
  };

  const links = [...document.querySelectorAll("article a[href*='#']:not(.headerlink)")].filter(target);
  for (const link of links) {
    const later = () => { hide(); asked = link; waiting = setTimeout(() => show(link), 250); };
    link.addEventListener("mouseenter", later);
    link.addEventListener("focus", later);
    for (const event of ["mouseleave", "blur", "click"]) link.addEventListener(event, hide);
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  document.addEventListener("scroll", hide, { passive: true });
});

// A figure that a slider changes. Without this script the figure stands still.
document.addEventListener("DOMContentLoaded", () => {
  const root = new URL(document.documentElement.dataset.content_root || "./", location.href);
  for (const place of document.querySelectorAll("div.slider")) {
    const image = place.previousElementSibling?.querySelector("img");
    if (!image) continue;
    const values = JSON.parse(place.dataset.values);
    const frames = JSON.parse(place.dataset.frames).map((name) => new URL(name, root).href);
    const input = Object.assign(document.createElement("input"), { type: "range", min: 0, max: values.length - 1 });
    input.value = place.dataset.start;
    const shown = document.createElement("output");
    const label = document.createElement("label");
    label.append(`${place.dataset.by}: `, shown, input);
    place.append(label);
    const say = () => { shown.textContent = values[input.value]; input.setAttribute("aria-valuetext", values[input.value]); };
    input.addEventListener("input", () => { image.src = frames[input.value]; say(); });
    input.addEventListener("focus", () => { for (const frame of frames) new Image().src = frame; }, { once: true });
    say();
  }
});
