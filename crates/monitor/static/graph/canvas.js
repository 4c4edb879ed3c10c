// A drawing that is moved and zoomed, with pointer, keys or buttons.

import { el, svg } from "../dom.js";
import { Viewport } from "./viewport.js";

const STEP = 1.3;

export class Canvas {
  /**
   * @param label what it shows, for those who do not see it
   * @param key is told of keys that do not zoom
   */
  constructor(label, key) {
    this.content = svg("g");
    const arrow = svg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8,
      markerUnits: "userSpaceOnUse", orient: "auto" }, svg("path", { d: "M0,0L8,4L0,8Z" }));
    this.drawing = svg("svg", { class: "graph", tabindex: 0, role: "application", "aria-label": label,
      keydown: (event) => this.#zooms(event) || key(event) }, svg("defs", {}, arrow), this.content);
    this.viewport = new Viewport(this.drawing, this.content);
    const button = (text, label, press) =>
      el("button", { type: "button", "aria-label": label, title: label, click: press }, text);
    this.element = el("div", { class: "canvas" }, this.drawing,
      el("div", { class: "zoom" },
        button("+", "Zoom in", () => this.viewport.zoom(STEP)),
        button("−", "Zoom out", () => this.viewport.zoom(1 / STEP)),
        button("Fit", "Fit all", () => this.viewport.fit())));
  }

  #zooms({ key }) {
    if (key === "+" || key === "=") this.viewport.zoom(STEP);
    else if (key === "-") this.viewport.zoom(1 / STEP);
    else if (key === "0") this.viewport.fit();
    else return false;
    return true;
  }
}
