// What the run has logged.

import * as api from "../api.js";
import { el, segments, setText } from "../dom.js";
import { clock, exact } from "../format.js";

/** Lines that are kept. */
const MOST = 5000;
const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"];

export class Log {
  title = "Log";
  #least = 1;
  #asking = false;

  constructor() {
    this.lines = el("ol", { class: "lines", tabindex: 0, role: "log", "aria-label": "Log", "aria-live": "off", scroll: () => this.#scrolled() });
    this.filter = el("input", { type: "search", placeholder: "Lines with…", "aria-label": "Lines with", input: () => this.#sift() });
    this.follow = el("input", { type: "checkbox", checked: true, change: () => this.#toEnd() });
    this.shown = el("output", { class: "hits" });
    const levels = LEVELS.map((level, number) => [number, level === "DEBUG" ? "All" : level[0] + level.slice(1).toLowerCase()]);
    this.element = el("div", { class: "page log" },
      el("div", { class: "tools" },
        segments("Least level", levels, this.#least, (least) => {
          this.#least = least;
          this.#sift();
        }),
        this.filter, el("label", {}, this.follow, " Follow"), this.shown),
      this.lines);
  }

  open() {
    this.last = 0;
    this.lines.replaceChildren();
    this.#sift();
  }

  show() {
    this.#toEnd();
  }

  async update(run) {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const { run: of, lines } = await api.log(this.last);
      if (of !== run.id || lines.length === 0) return;
      this.last = lines.at(-1).number;
      this.lines.append(...lines.map(item));
      while (this.lines.children.length > MOST) this.lines.firstChild.remove();
      this.#sift();
    } finally {
      this.#asking = false;
    }
  }

  #sift() {
    const text = this.filter.value.toLowerCase();
    let shown = 0;
    for (const line of this.lines.children) {
      const matches = LEVELS.indexOf(line.dataset.level) >= this.#least && line.textContent.toLowerCase().includes(text);
      line.hidden = !matches;
      shown += matches;
    }
    setText(this.shown, `${exact(shown)} of ${exact(this.lines.children.length)} lines`);
    this.#toEnd();
  }

  #toEnd() {
    if (this.follow.checked) this.lines.scrollTop = this.lines.scrollHeight;
  }

  /** Who scrolls up wants to read. */
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.lines;
    this.follow.checked = scrollTop + clientHeight >= scrollHeight - 8;
  }
}

function item({ time, level, text }) {
  const known = LEVELS.includes(level) ? level : "INFO";
  return el("li", { "data-level": known }, el("time", {}, clock(time)), el("b", {}, level), el("span", {}, text));
}
