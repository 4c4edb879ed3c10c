// How the run stands, above everything else: its state, and what a person has to know.

import { el, setText } from "./dom.js";
import { bytes, clock, cores, count, duration, elapsed, exact, moment, NONE } from "./format.js";

const WORDS = { connecting: "connecting", running: "running", ended: "ended", interrupted: "interrupted", failed: "failed", away: "no answer", locked: "locked", broken: "broken" };

const VITALS = [
  ["in", "Rows in/s", count],
  ["out", "Rows out/s", count],
  ["latency", "Latency", duration],
  ["resident", "Memory", bytes],
  ["cpu", "Cores", cores],
  ["errors", "Errors", exact, "#/errors"],
  ["deadLetters", "Dead letters", exact, "#/errors"],
];

/** The head of the page: which run this is, and its most important numbers. */
export class Head {
  constructor() {
    this.program = el("h1", {}, "Pathway");
    this.pill = el("span", { class: "pill connecting", role: "status" }, WORDS.connecting);
    this.facts = el("p", { class: "facts-of-run" });
    this.values = VITALS.map(([key, name, write, link]) => {
      const value = el("dd", { "data-vital": key }, NONE);
      const term = el("dt", {}, link ? el("a", { href: link }, name) : name);
      return [key, write, value, el("div", {}, term, value)];
    });
    this.element = el("div", { class: "head" },
      el("div", { class: "identity" }, this.program, this.pill, this.facts),
      el("dl", { class: "vitals" }, this.values.map(([, , , entry]) => entry)));
  }

  /** @param state of the run, or that it cannot be asked */
  update(run, state) {
    setText(this.pill, WORDS[state]);
    this.pill.className = `pill ${state}`;
    if (!run) return;
    setText(this.program, run.program);
    document.title = `${state === "running" ? "" : `${WORDS[state]}: `}${run.program} – Pathway`;
    const { number, count: processes, pid, workers } = run.process;
    const end = run.chosen ?? run.ended ?? run.now?.at ?? run.started;
    setText(this.facts, [
      elapsed(end - run.started),
      processes > 1 ? `process ${number + 1} of ${processes}` : null,
      `${workers} ${workers === 1 ? "worker" : "workers"}`,
      pid === null ? null : `pid ${pid}`,
      `version ${run.version}`,
    ].filter(Boolean).join(" · "));
    this.facts.title = `since ${moment(run.started)}, run ${run.id}`;
    for (const [key, write, value, entry] of this.values) {
      entry.hidden = run.vitals[key] === null && run.recorded && (key === "errors" || key === "deadLetters");
      setText(value, write(run.vitals[key]));
      value.classList.toggle("bad", (key === "errors" || key === "deadLetters") && run.vitals[key] > 0);
    }
  }
}

/** What has happened: the run has ended, was interrupted, has failed, begun anew, or does not answer. */
export class Notice {
  #restarted = null;

  constructor() {
    this.element = el("div", { class: "notice", role: "alert", hidden: true });
  }

  /** Another run answers. */
  restarted(time) {
    this.#restarted = time;
  }

  update(run, state, since) {
    const [kind, ...content] = this.#content(run, state, since);
    this.element.hidden = kind === "none";
    this.element.className = `notice ${kind}`;
    const text = el("div", {}, content);
    if (!this.element.firstElementChild?.isEqualNode(text)) this.element.replaceChildren(text);
    document.body.classList.toggle("stale", kind === "away");
  }

  #content(run, state, since) {
    if (state === "broken") {
      return ["failed", el("b", {}, "This page has an error."), " What it shows is not right; its console says more."];
    }
    // What is over stays over, also when its process has gone.
    if (run?.state === "failed") {
      return ["failed", el("b", {}, `The run failed at ${clock(run.ended)}.`), el("pre", {}, run.message ?? "")];
    }
    if (run?.state === "ended" || run?.state === "interrupted") {
      const shown = run.chosen === null ? "These are its last numbers." : `These are its numbers of ${moment(run.chosen)}.`;
      return ["ended", el("b", {}, `The run ${run.state === "ended" ? "ended" : "was interrupted"} at ${clock(run.ended)}.`), ` ${shown}`];
    }
    if (state === "away") {
      const seen = run ? ` What you see is from ${clock(since)}.` : "";
      return ["away", el("b", {}, "The run does not answer."), `${seen} It is asked again each second.`];
    }
    if (this.#restarted !== null) {
      return ["restarted", el("b", {}, `The run was started anew at ${clock(this.#restarted)}.`), " All numbers begin there. ",
        el("button", { type: "button", "data-dismiss": true }, "Got it")];
    }
    return ["none"];
  }

  dismiss() {
    this.#restarted = null;
  }
}
