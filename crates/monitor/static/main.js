// The page: asks the run each second, and shows what it says on the page that is chosen.

import * as api from "./api.js";
import { el } from "./dom.js";
import { Run } from "./model.js";
import { Charts } from "./pages/charts.js";
import { Connectors } from "./pages/connectors.js";
import { Errors } from "./pages/errors.js";
import { Log } from "./pages/log.js";
import { Pipeline } from "./pages/pipeline.js";
import { Plan } from "./pages/plan.js";
import { Head, Notice } from "./status.js";
import { themeSwitch } from "./theme.js";
import { Timeline } from "./timeline.js";

const SECOND = 1000;

const pages = { pipeline: new Pipeline(), plan: new Plan(), charts: new Charts(), connectors: new Connectors(), errors: new Errors(), log: new Log() };
const head = new Head();
const notice = new Notice();
const links = Object.entries(pages).map(([name, { title }]) => el("a", { href: `#/${name}` }, title));
const timeline = new Timeline(() => {
  tell();
  refresh();
});
const main = el("main", { id: "main", tabindex: -1 });

let run = null;
let state = "connecting";
let answered = Date.now();
let page = null;

/** Not everything is recorded. */
function isShown(page) {
  return page !== undefined && (page.isRecorded || !run.recorded);
}

/** Shows the page that the address names. */
function route() {
  if (!run) return;
  const [, name, argument] = location.hash.split("/");
  const chosen = isShown(pages[name]) ? pages[name] : pages.pipeline;
  if (page !== chosen) {
    page = chosen;
    main.replaceChildren(page.element);
    links.forEach((link, place) => {
      if (Object.values(pages)[place] === page) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
  }
  page.show(argument);
  refresh();
}

/** Brings the page up to what is known. Some pages ask for more; if there is no answer, the next second will tell. */
async function refresh() {
  try {
    await page?.update(run);
  } catch (error) {
    if (!(error instanceof api.NoAnswer || error instanceof api.Locked)) throw error;
  }
}

/** Begins with another run, or with one whose dataflow has been built. */
async function load(isAnother) {
  const found = new Run(await api.run());
  if (isAnother && run) notice.restarted(found.started);
  run = found;
  timeline.open(run);
  links.forEach((link, place) => {
    link.hidden = !isShown(Object.values(pages)[place]);
  });
  for (const each of Object.values(pages)) each.open(run);
  // Operators of another program have other numbers.
  if (isAnother && page && location.hash.startsWith("#/pipeline/")) location.hash = "#/pipeline";
  route();
}

async function ask() {
  try {
    let now = await api.now();
    if (run?.id !== now.run) await load(true);
    else if (run.lacksOutline(now)) await load(false);
    // Another run may have begun in between.
    if (now.run !== run.id) now = await api.now();
    if (now.run !== run.id) return;
    if (now.state !== run.state) {
      const { state: _, message, ended } = await api.run();
      Object.assign(run, { message, ended });
    }
    if (run.recorded) await timeline.follow(run, now);
    else run.update(now);
    state = run.state;
    answered = Date.now();
    await refresh();
  } catch (error) {
    if (error instanceof api.Locked) {
      state = "locked";
      askForToken();
    } else if (error instanceof api.NoAnswer) {
      const isOver = ["ended", "interrupted", "failed"].includes(run?.state);
      state = isOver ? run.state : "away";
    } else {
      state = "broken";
      console.error(error);
    }
  }
}

/** How the run stands. */
function tell() {
  head.update(run, state);
  notice.update(run, state, answered);
}

async function follow() {
  for (;;) {
    await ask();
    tell();
    await new Promise((done) => setTimeout(done, SECOND));
  }
}

const token = el("input", { type: "password", name: "token", required: true, autocomplete: "off", "aria-label": "Token" });
const form = el("form", { class: "locked", submit: (event) => {
  event.preventDefault();
  api.setToken(token.value);
  form.remove();
} }, el("h2", {}, "A token is needed"), el("p", {}, "The run tells what it does to those only who know its token."), token,
el("button", {}, "Open"));

function askForToken() {
  if (form.isConnected) return;
  page = null;
  run = null;
  main.replaceChildren(form);
  token.focus();
}

api.takeToken();
notice.element.addEventListener("click", (event) => {
  if (!("dismiss" in event.target.dataset)) return;
  notice.dismiss();
  notice.update(run, state, answered);
});
addEventListener("hashchange", route);
document.body.append(
  el("a", { class: "skip", href: "#main", click: (event) => {
    event.preventDefault();
    main.focus();
  } }, "To the content"),
  el("header", { class: "top" }, head.element, el("nav", { "aria-label": "Pages" }, links, themeSwitch())),
  notice.element, timeline.element, main);
follow();
