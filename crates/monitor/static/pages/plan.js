// How the run computes: its plan before and after rewriting, as a drawing and as text.

import * as api from "../api.js";
import { el, segments, setText } from "../dom.js";
import { clock } from "../format.js";
import { PlanView } from "../graph/plan.js";

const STAGES = [["before", "Before rewriting"], ["after", "After rewriting"]];
const FORMS = [["svg", "Drawing"], ["text", "Text"]];

export class Plan {
  title = "Plan";
  #stage = "after";
  #form = "svg";
  #chosen = null;
  /** What is shown: of which run, plan and form. */
  #shown = "";
  /** What was drawn last. */
  #drawn = "";
  #asking = false;

  constructor() {
    this.view = new PlanView((id) => this.#choose(id));
    this.text = el("pre", { tabindex: 0, "aria-label": "The plan as text" });
    this.state = el("p", { class: "empty", role: "status" });
    this.stages = segments("Plan", STAGES, this.#stage, (stage) => {
      this.#stage = stage;
      this.#choose(null);
      this.#ask();
    });
    this.when = el("span", { class: "hint" });
    this.copied = el("button", { type: "button", click: () => this.#copy() }, "Copy");
    const tools = el("div", { class: "tools" },
      segments("Form", FORMS, this.#form, (form) => {
        this.#form = form;
        this.#ask();
      }), this.stages, this.copied,
      el("button", { type: "button", title: "Ask for the numbers of this moment", click: () => this.#ask() }, "Refresh"), this.when);
    this.detail = el("section", { class: "panel", "aria-label": "Operator", "aria-live": "polite" });
    this.side = el("aside", { class: "side", "aria-label": "Details" }, this.detail);
    this.written = el("div", { class: "written" }, this.text);
    this.element = el("div", { class: "pipeline plan-page" },
      el("div", { class: "stage" }, tools, this.state, this.view.element, this.written), this.side);
    this.#choose(null);
    this.#arrange();
  }

  open(run) {
    this.run = run;
    this.#shown = "";
    this.#choose(null);
  }

  show() {}

  /** Asks until it is known. Its numbers are of that moment: drawings that move by themselves cannot be read. */
  async update() {
    if (this.#shown !== this.#wanted) await this.#ask();
  }

  get #wanted() {
    return `${this.run.id} ${this.#form} ${this.#form === "svg" ? this.#stage : ""}`;
  }

  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      let wanted;
      do {
        wanted = this.#wanted;
        const [form, stage] = [this.#form, this.#stage];
        const answer = await api.plan(form, stage);
        if (wanted !== this.#wanted) continue;
        if (form === "svg") this.#draw(answer, wanted);
        else setText(this.text, answer);
        this.#shown = wanted;
        setText(this.when, `counted until ${clock(Date.now())}`);
      } while (wanted !== this.#wanted);
      setText(this.state, "");
    } catch (error) {
      if (error instanceof api.NotYet) setText(this.state, "The plan is not known yet.");
      else if (error instanceof api.NoAnswer) setText(this.state, "The run does not answer; only a run that goes on tells its plan.");
      else if (!(error instanceof api.Locked)) throw error;
    } finally {
      this.#asking = false;
      this.#arrange();
    }
  }

  #draw(text, wanted) {
    this.view.open(text, wanted === this.#drawn);
    this.#drawn = wanted;
    this.#choose(this.view.text(this.#chosen) === null ? null : this.#chosen);
  }

  #arrange() {
    const isDrawing = this.#form === "svg";
    this.state.hidden = this.state.textContent === "";
    this.view.element.hidden = !isDrawing;
    this.written.hidden = isDrawing;
    this.stages.hidden = !isDrawing;
    this.copied.hidden = isDrawing;
    this.side.hidden = !isDrawing;
    this.element.classList.toggle("whole", !isDrawing);
  }

  #choose(id) {
    this.#chosen = id;
    this.view.mark(id);
    if (id === null) {
      this.detail.replaceChildren(el("p", { class: "hint" },
        "Choose an operator to see all that is known of it: columns, ids and universe, bounds of its rows, and its line."));
      return;
    }
    const [heading, ...lines] = this.view.text(id).split("\n");
    const number = this.#stage === "before" ? Number(id) : null;
    this.detail.replaceChildren(
      el("header", {}, el("h2", {}, heading),
        el("button", { type: "button", class: "close", "aria-label": "Close", click: () => this.#choose(null) }, "×")),
      el("dl", { class: "facts known" }, lines.map((line) => {
        const end = line.indexOf(": ");
        return el("div", {}, el("dt", {}, line.slice(0, Math.max(0, end))), el("dd", {}, line.slice(end < 0 ? 0 : end + 2)));
      })),
      this.run.operators.has(number) ? el("p", {}, el("a", { href: `#/pipeline/${number}` }, "In the pipeline, with its numbers of now")) : "");
    if (matchMedia("(max-width: 800px)").matches) this.detail.scrollIntoView({ block: "nearest" });
  }

  /** Browsers let pages copy only if these are from the same machine, or come by TLS. Else the text is selected. */
  async #copy() {
    try {
      await navigator.clipboard.writeText(this.text.textContent);
      setText(this.copied, "Copied");
    } catch {
      getSelection().selectAllChildren(this.text);
      setText(this.copied, "Selected");
    }
    setTimeout(() => setText(this.copied, "Copy"), 3000);
  }
}
