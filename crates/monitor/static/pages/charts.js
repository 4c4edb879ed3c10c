// The run as a whole over time.

import * as api from "../api.js";
import { Chart } from "../chart.js";
import { el, segments } from "../dom.js";
import { bytes, cores, count, duration } from "../format.js";

const RANGES = [[60, "1 min"], [300, "5 min"], [900, "15 min"], [3600, "1 h"]];
const HOUR = 3_600_000;
const COLUMNS = ["at", "rows_in", "rows_out", "latency_ms", "resident_bytes", "cpu"];

export class Charts {
  title = "Charts";
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
    this.element = el("div", { class: "page" },
      el("div", { class: "tools" }, segments("Time range", RANGES, this.#range, (range) => {
        this.#range = range;
        this.#draw();
      })),
      el("div", { class: "grid-of-charts" }, this.charts.map((one) => one.element)));
  }

  open() {
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
      const start = (more.at.at(-1) ?? 0) - HOUR;
      const old = samples.at.findIndex((time) => time >= start);
      for (const name of COLUMNS) samples[name] = samples[name].slice(Math.max(0, old)).concat(more[name]);
      this.#draw();
    } finally {
      this.#asking = false;
    }
  }

  #draw() {
    const { at, rows_in: rowsIn, rows_out: rowsOut, latency_ms: latency, resident_bytes: resident, cpu } = this.samples;
    const end = at.at(-1) ?? Date.now();
    const columns = [[rowsIn, rowsOut], [latency], [resident], [cpu]];
    this.charts.forEach((chart, number) => chart.show(at, columns[number], end - this.#range * 1000, end));
  }
}
