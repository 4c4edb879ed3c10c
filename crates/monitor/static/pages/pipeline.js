// The running plan as a graph, the slowest operators beside it, and one operator with all that is known of it.

import { el, segments, setText } from "../dom.js";
import { place } from "../format.js";
import { MANY } from "../graph/cards.js";
import { GraphView } from "../graph/view.js";
import { Panel } from "./panel.js";
import { Ranking } from "./ranking.js";

const SLOWEST = 10;

export class Pipeline {
  title = "Pipeline";
  isRecorded = true;

  constructor() {
    this.graph = new GraphView((card) => go(card));
    this.panel = new Panel();
    this.slowest = new Ranking();
    this.detail = el("div");
    this.search = el("input", { type: "search", placeholder: "Find an operator, file or function", "aria-label": "Find operators",
      input: () => this.#find(), keydown: (event) => event.key === "Enter" && this.#first() });
    this.hits = el("output", { class: "hits" });
    this.overview = el("section", { "aria-labelledby": "slowest" },
      el("h2", { id: "slowest" }, "Slowest operators"), el("p", { class: "hint" }, "by the share of time at work in the last minute"),
      this.slowest.element);
    const side = el("aside", { class: "side", "aria-label": "Details" }, this.overview, this.panel.element);
    this.waiting = el("p", { class: "empty" }, "The dataflow has not been built yet.");
    this.element = el("div", { class: "pipeline" },
      el("div", { class: "stage" }, el("div", { class: "tools", role: "search" }, this.search, this.detail, this.hits), this.waiting,
        this.graph.element, legend()),
      side);
  }

  open(run) {
    this.run = run;
    this.waiting.hidden = run.operators.size > 0;
    this.#drawBy(run.operators.size >= MANY);
    const choices = [[false, "Operators"], [true, "Lines"]];
    this.detail.replaceChildren(segments("A card for each of", choices, this.byLine, (byLine) => {
      this.#drawBy(byLine);
      this.graph.update();
      this.show(this.shown);
    }));
  }

  #drawBy(byLine) {
    this.byLine = byLine;
    this.graph.open(this.run, byLine);
    this.#find();
  }

  /** @param shown the number of an operator, or the numbers of those of one card */
  show(shown) {
    this.shown = shown;
    const operators = (shown ?? "").split(",").map((id) => this.run.operators.get(Number(id))).filter(Boolean);
    this.graph.mark(operators[0]?.id);
    this.panel.open(this.run, operators);
    this.overview.hidden = operators.length > 0;
    if (operators.length === 0) return;
    this.graph.reveal(operators[0].id);
    if (matchMedia("(max-width: 800px)").matches) this.panel.element.scrollIntoView({ block: "start" });
  }

  update() {
    this.graph.update();
    this.panel.update();
    this.slowest.show(this.run.slowest(SLOWEST));
  }

  #matching() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return null;
    return [...this.run.operators.values()].filter((operator) => {
      const { line } = operator;
      const text = [operator.id, operator.label, operator.name, place(line), line?.function, line?.source].join(" ").toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }

  #find() {
    const matching = this.#matching();
    this.graph.found(matching && new Set(matching.map((operator) => operator.id)));
    setText(this.hits, matching ? `${matching.length} of ${this.run.operators.size}` : "");
  }

  /** Opens what was found; once more, what was found next to it. */
  #first() {
    const matching = this.#matching() ?? [];
    if (matching.length === 0) return;
    const open = matching.findIndex((operator) => operator.id === this.panel.operator?.id);
    go({ members: [matching[(open + 1) % matching.length]] });
  }
}

function go(card) {
  const ids = card?.members.map((member) => member.id).join(",");
  location.hash = ids ? `#/pipeline/${ids}` : "#/pipeline";
}

function legend() {
  return el("p", { class: "legend" }, "busy ", el("span", {}, "0 %"), el("i", { class: "ramp" }), el("span", {}, "100 %"));
}
