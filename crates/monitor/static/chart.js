// Charts of numbers over time, as drawings that take their colours from the style of the page.

import { el, setText, svg } from "./dom.js";
import { clock, dayAndTime, moment } from "./format.js";

const EDGES = { left: 52, right: 10, top: 8, bottom: 20 };
const SMALL = { left: 1, right: 1, top: 3, bottom: 1 };
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800]
  .map((seconds) => seconds * 1000);
const DAY = 86_400_000;

/** A step of 1, 2 or 5 times a power of ten, such that at most `most` of them make `range`. */
function roundStep(range, most) {
  const power = 10 ** Math.floor(Math.log10(range / most));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => range / step <= most);
}

export class Chart {
  #times = [];
  #columns = [];
  #range = [0, 1];
  #marked = null;
  #chosen = null;

  /**
   * @param title what it shows
   * @param series the names of its lines
   * @param write makes text of a number
   * @param small a line without axes
   * @param floor the least upper end of the axis
   * @param hover is told which moment the pointer is at, or null
   */
  constructor({ title, series, write, small = false, floor = 0, hover = null }) {
    Object.assign(this, { title, write, small, floor, edges: small ? SMALL : EDGES });
    this.values = series.map(() => el("b"));
    const legend = series.map((name, number) =>
      el("span", { class: `key series-${number}` }, el("i"), name ? `${name} ` : "", this.values[number]));
    this.when = el("time");
    this.grid = svg("g", { class: "grid" });
    this.lines = series.map((_, number) => svg("path", { class: `line series-${number}` }));
    this.areas = series.map((_, number) => svg("path", { class: `area series-${number}` }));
    this.rule = svg("line", { class: "rule" });
    this.choice = svg("line", { class: "rule choice" });
    this.drawing = svg("svg", { role: "img", "aria-label": title },
      this.grid, this.areas, this.lines, this.choice, this.rule);
    const head = el("figcaption", {}, el("span", { class: "title" }, title), this.when, legend);
    this.element = el("figure", { class: small ? "chart small" : "chart" }, head, this.drawing);
    if (hover) {
      this.drawing.addEventListener("pointermove", (event) => hover(this.#timeAt(event)));
      this.drawing.addEventListener("pointerleave", () => hover(null));
    }
    new ResizeObserver(() => this.#draw()).observe(this.drawing);
  }

  /** Shows these columns, from one time to another. A null is a gap. */
  show(times, columns, from, to) {
    this.#times = times;
    this.#columns = columns;
    this.#range = [from, to];
    this.#draw();
  }

  /** Tells the numbers of a moment in place of the last ones; null for those again. */
  mark(time) {
    this.#marked = time;
    this.#tell();
  }

  /** Marks the moment that the page shows, and tells its numbers; null if that is the last one. */
  choose(time) {
    this.#chosen = time;
    this.#tell();
  }

  #timeAt(event) {
    const box = this.drawing.getBoundingClientRect();
    const { left, right } = this.edges;
    const share = (event.clientX - box.left - left) / (box.width - left - right);
    const [from, to] = this.#range;
    return from + Math.min(1, Math.max(0, share)) * (to - from);
  }

  #x = () => 0;

  #draw() {
    const { width, height } = this.drawing.getBoundingClientRect();
    if (width === 0) return;
    const { left, right, top, bottom } = this.edges;
    const [from, to] = this.#range;
    const first = this.#times.findIndex((time) => time >= from);
    const after = this.#times.findLastIndex((time) => time <= to) + 1;
    const columns = this.#columns.map((column) => (first < 0 ? [] : column.slice(first, after)));
    const times = first < 0 ? [] : this.#times.slice(first, after);
    const largest = columns.flat().reduce((most, value) => Math.max(most, value ?? 0), 0);
    const step = roundStep(Math.max(largest, this.floor, 1e-9) * 1.05, 4);
    const ceiling = this.small ? Math.max(largest, this.floor, 1e-9) : Math.ceil(Math.max(largest, this.floor, 1e-9) / step) * step;
    this.#x = (time) => left + ((time - from) / (to - from)) * (width - left - right);
    const y = (value) => height - bottom - (value / ceiling) * (height - top - bottom);
    const base = height - bottom;
    columns.forEach((column, number) => {
      const parts = pieces(times, column, this.#x, y, width);
      const line = parts.map((points) => `M${points.map((point) => point.join(",")).join("L")}`);
      const area = parts.map((points) =>
        `M${points[0][0]},${base}L${points.map((point) => point.join(",")).join("L")}L${points.at(-1)[0]},${base}Z`);
      this.lines[number].setAttribute("d", line.join(""));
      this.areas[number].setAttribute("d", area.join(""));
    });
    this.grid.replaceChildren(...(this.small ? [] : this.#axes(ceiling, step, y, width, height)));
    this.#tell();
  }

  #axes(ceiling, step, y, width, height) {
    const { left, right, bottom } = this.edges;
    const [from, to] = this.#range;
    const axes = [];
    for (let value = 0; value <= ceiling * 1.001; value += step) {
      axes.push(svg("line", { x1: left, x2: width - right, y1: y(value), y2: y(value) }),
        svg("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, this.write(value)));
    }
    const most = Math.max(2, Math.floor((width - left) / 90));
    const apart = STEPS.find((each) => (to - from) / each <= most) ?? STEPS.at(-1);
    for (let time = Math.ceil(from / apart) * apart; time <= to; time += apart) {
      const x = this.#x(time);
      if (x < left + 24 || x > width - 28) continue;
      const text = to - from > DAY ? dayAndTime(time) : apart < 60_000 ? clock(time) : clock(time).slice(0, 5);
      axes.push(svg("text", { x, y: height - bottom + 16, "text-anchor": "middle" }, text));
    }
    return axes;
  }

  #tell() {
    const [from, to] = this.#range;
    const told = this.#marked ?? this.#chosen;
    const at = told === null ? this.#times.length - 1 : nearest(this.#times, told);
    const shown = told !== null && at >= 0;
    this.values.forEach((value, number) => setText(value, this.write(this.#columns[number]?.[at])));
    setText(this.when, shown ? (to - from > DAY ? moment : clock)(this.#times[at]) : "");
    const { top, bottom } = this.edges;
    for (const [rule, time] of [[this.rule, this.#marked === null || at < 0 ? null : this.#times[at]], [this.choice, this.#chosen]]) {
      const isThere = time !== null && time >= from && time <= to;
      rule.classList.toggle("shown", isThere);
      if (!isThere) continue;
      const x = this.#x(time);
      const ends = { x1: x, x2: x, y1: top, y2: this.drawing.getBoundingClientRect().height - bottom };
      for (const [name, value] of Object.entries(ends)) rule.setAttribute(name, value);
    }
  }
}

/** The unbroken pieces of a line. Of the points that share a pixel, the highest is drawn: peaks are not lost. */
function pieces(times, column, x, y, width) {
  const parts = [];
  let points = [];
  const wide = times.length > width;
  times.forEach((time, place) => {
    const value = column[place];
    if (value === null || value === undefined) {
      if (points.length) parts.push(points);
      points = [];
      return;
    }
    const at = wide ? Math.round(x(time)) : +x(time).toFixed(1);
    const last = points.at(-1);
    const high = +y(value).toFixed(1);
    if (last && last[0] === at) last[1] = Math.min(last[1], high);
    else points.push([at, high]);
  });
  if (points.length) parts.push(points);
  return parts;
}

function nearest(times, time) {
  let [low, high] = [0, times.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low > 0 && time - times[low - 1] < times[low] - time ? low - 1 : low;
}
