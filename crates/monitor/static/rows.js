// The page of `pathway why`: a program, and why rows of its outputs are there.

import * as api from "./api.js";
import { el } from "./dom.js";
import { Rows } from "./pages/rows.js";
import { themeSwitch } from "./theme.js";

const main = el("main", { id: "main", tabindex: -1 });
const program = el("h1", {}, "Pathway");
const facts = el("p", { class: "facts-of-run" });

function trouble(error) {
  const text = error instanceof api.Locked
    ? "A token is needed: open this page with ?token=TOKEN behind its address."
    : `The server does not answer: ${error.message}`;
  main.replaceChildren(el("p", { class: "page empty", role: "alert" }, text));
}

async function load() {
  const about = await api.get("outputs");
  program.textContent = about.program;
  document.title = `Rows of ${about.program} – Pathway`;
  const inputs = about.recording === null ? "inputs as they were read" : `inputs as recorded in ${about.recording}`;
  facts.textContent = `${inputs} · version ${about.version}`;
  const rows = new Rows(about.outputs);
  main.replaceChildren(rows.element);
  addEventListener("hashchange", () => rows.show());
  rows.show();
}

api.takeToken();
document.body.append(
  el("a", { class: "skip", href: "#main", click: (event) => {
    event.preventDefault();
    main.focus();
  } }, "To the content"),
  el("header", { class: "top" },
    el("div", { class: "head" }, el("div", { class: "identity" }, program, facts)),
    el("nav", { "aria-label": "Pages" }, el("a", { href: "#/", "aria-current": "page" }, "Rows"), themeSwitch())),
  main);
load().catch(trouble);
