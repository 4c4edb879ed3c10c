// The drawing of a plan that the run has made: its operators can be chosen, and it has the colours of the page.

import { svg } from "../dom.js";
import { Canvas } from "./canvas.js";

/** What is taken of a drawing, and nothing else: whatever comes from the run is no markup of the page. */
const PARTS = new Set(["path", "rect", "text"]);
const KEPT = ["class", "x", "y", "width", "height", "rx", "d", "marker-end", "font-weight"];

export class PlanView {
  #operators = new Map();

  /** @param choose is told the id of the operator that was chosen, or null */
  constructor(choose) {
    this.choose = choose;
    const label = "The plan. Tab goes through its operators, Enter opens, plus, minus and 0 zoom.";
    Object.assign(this, new Canvas(label, (event) => event.key === "Escape" && choose(null)));
    this.drawing.classList.add("plan");
  }

  /** Shows another drawing: the text of an SVG. With `isSame`, what is in sight stays. */
  open(text, isSame) {
    const drawn = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    this.#operators = new Map();
    const parts = [...drawn.children].map((part) => (part.localName === "g" ? this.#operator(part) : copy(part)));
    this.content.replaceChildren(...parts.filter(Boolean));
    const [, , width, height] = (drawn.getAttribute("viewBox") ?? "").split(" ").map(Number);
    const box = { x: 0, y: 0, width: width || 1, height: height || 1 };
    if (isSame) this.viewport.resize(box);
    else this.viewport.open(box);
  }

  /** What is known of an operator, as text. */
  text(id) {
    return this.#operators.get(id)?.text ?? null;
  }

  mark(chosen) {
    for (const [id, { element }] of this.#operators) element.classList.toggle("chosen", id === chosen);
  }

  #operator(group) {
    const { id } = group;
    const text = [...group.children].find((part) => part.localName === "title")?.textContent ?? id;
    const frame = [...group.children].find((part) => part.localName === "rect");
    const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(frame?.getAttribute(name)));
    const element = svg("g", { class: "node", tabindex: 0, role: "button", "data-operator": id, "aria-label": text.split("\n")[0],
      click: () => !this.viewport.moved && this.choose(id),
      focus: () => element.matches(":focus-visible") && this.viewport.reveal({ x: x + width / 2, y: y + height / 2 }, { width, height }),
      keydown: (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        this.choose(id);
      } }, [...group.children].map(copy).filter(Boolean));
    this.#operators.set(id, { element, text });
    return element;
  }
}

function copy(part) {
  if (!PARTS.has(part.localName)) return null;
  const attributes = Object.fromEntries(KEPT.map((name) => [name, part.getAttribute(name)]));
  return svg(part.localName, attributes, part.localName === "text" ? part.textContent : null);
}
