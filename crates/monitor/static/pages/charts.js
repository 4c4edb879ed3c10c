// The run as a whole over time.

import * as api from "../api.js";
import { Chart } from "../chart.js";
import { el, segments } from "../dom.js";
import { bytes, cores, count, duration } from "../format.js";

const RANGES = [[60, "1 min"], [300, "5 min"], [900, "15 min"], [3600, "1 h"]];
/** All that was recorded. */
const ALL = Infinity;
const HOUR = 3_600_000;
/** Milliseconds that a chart shows at least. */
const LEAST = 10_000;
const COLUMNS = ["at", "rows_in", "rows_out", "latency_ms", "resident_bytes", "cpu"];

export class Charts {
  title = "Charts";
  isRecorded = true;
  #range = 300;
  #asking = false;

  constructor() {
    const hover = (time) => this.charts.forEach((chart) => chart.mark(time));
    const chart = (title, series, write, floor) => new Chart({ title, series, write, floor, hover });
    this.charts = [
      chart("Throughput, rows a second", ["in", "out"], count, 4),
      chart("Latency of the outputs", [""], duration, 10),
      chart("Memory of the process", [""], bytes, 1e6),
      chart("Processor, cores in use", [""], cores, 0.4),
    ];
    this.tools = el("div", { class: "tools" });
    this.element = el("div", { class: "page" }, this.tools,
      el("div", { class: "grid-of-charts" }, this.charts.map((one) => one.element)));
  }

  open(run) {
    this.run = run;
    if (!run.recorded && this.#range === ALL) this.#range = 3600;
    const ranges = run.recorded ? [...RANGES, [ALL, "All"]] : RANGES;
    this.tools.replaceChildren(segments("Time range", ranges, this.#range, (range) => {
      this.#range = range;
      this.#draw();
    }));
    this.samples = Object.fromEntries(COLUMNS.map((name) => [name, []]));
  }

  show() {
    this.#draw();
  }

  async update(run) {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const { samples } = this;
      const more = await api.samples(samples.at.at(-1) ?? 0);
      if (more.run !== run.id || samples !== this.samples) return;
      const start = run.recorded ? 0 : (more.at.at(-1) ?? 0) - HOUR;
      const old = samples.at.findIndex((time) => time >= start);
      for (const name of COLUMNS) samples[name] = samples[name].slice(Math.max(0, old)).concat(more[name]);
      this.#draw();
    } finally {
      this.#asking = false;
    }
  }

  #draw() {
    const { at, rows_in: rowsIn, rows_out: rowsOut, latency_ms: latency, resident_bytes: resident, cpu } = this.samples;
    const columns = [[rowsIn, rowsOut], [latency], [resident], [cpu]];
    const [from, to] = this.#window(at);
    this.charts.forEach((chart, number) => {
      chart.choose(this.run.chosen);
      chart.show(at, columns[number], from, to);
    });
  }

  /** The last minutes, or those around the moment that the page shows. */
  #window(times) {
    const end = times.at(-1) ?? Date.now();
    const start = Math.min(times[0] ?? end, end - LEAST);
    if (this.#range === ALL) return [start, end];
    const length = this.#range * 1000;
    const { chosen } = this.run;
    if (chosen === null || chosen >= end - length) return [end - length, end];
    const from = Math.max(Math.min(start, chosen), chosen - length / 2);
    return [from, from + length];
  }
}
