// A list of operators, the busiest first.

import { el, setText } from "../dom.js";
import { count, duration, percent, place } from "../format.js";

export class Ranking {
  constructor() {
    this.list = el("ol", { class: "ranking" });
    this.idle = el("p", { class: "empty" }, "No operator has been busy.");
    this.element = el("div", {}, this.list, this.idle);
  }

  /** @param operators in the order in which they are shown */
  show(operators) {
    this.idle.hidden = operators.length > 0;
    while (this.list.children.length > operators.length) this.list.lastChild.remove();
    while (this.list.children.length < operators.length) this.list.append(entry());
    operators.forEach((operator, place) => fill(this.list.children[place], operator));
  }
}

function entry() {
  return el("li", {}, el("a", {}, el("b"), el("span", { class: "where" }), el("span", { class: "share" }),
    el("span", { class: "meter" }, el("i")), el("span", { class: "more" })));
}

function fill(item, operator) {
  const [name, where, share, meter, more] = item.firstChild.children;
  const { now } = operator;
  item.firstChild.setAttribute("href", `#/pipeline/${operator.id}`);
  setText(name, operator.title);
  setText(where, [place(operator.line), `operator ${operator.id}`].filter(Boolean).join(" · "));
  setText(share, percent(now?.load));
  meter.firstChild.style.width = `${(now?.load ?? 0) * 100}%`;
  const late = now?.frontier.state === "done" ? "finished" : `${duration(now?.latency)} behind`;
  const rows = operator.kind === "input" ? "" : `${count(now?.inRate)} → `;
  setText(more, `${rows}${count(now?.outRate)} rows/s · ${late}`);
}
