// One operator: its line, its numbers, what these were in the last minutes, and each worker's part. Of several that a
// line made: which these are.

import * as api from "../api.js";
import { Chart } from "../chart.js";
import { el, setText } from "../dom.js";
import { bytes, clock, count, duration, exact, NONE, percent, readTo } from "../format.js";
import { lag } from "../model.js";
import { Table } from "../table.js";
import { Ranking } from "./ranking.js";

const rate = (number) => (number === null || number === undefined ? NONE : `${count(number)}/s`);
const late = (now) => (now.frontier.state === "done" ? "finished" : duration(now.latency));

/** Numbers of any operator: their names, and how they are made of an operator and the run. */
const NUMBERS = [
  ["Rows in", ({ now }) => `${exact(now.rowsIn)}  (${rate(now.inRate)})`],
  ["Rows out", ({ now }) => `${exact(now.rowsOut)}  (${rate(now.outRate)})`],
  ["Insertions", ({ now }) => exact(now.insertions)],
  ["Deletions", ({ now }) => exact(now.deletions)],
  ["Busy", ({ now }) => percent(now.busy)],
  ["Time at work", ({ now }) => duration(now.busySeconds * 1000)],
  ["Latency", ({ now }) => late(now)],
  ["Behind inputs", ({ now }, { input, at }) => duration(lag(now.frontier, input, at))],
  ["State", ({ now }) => bytes(now.memory)],
  ["Spilled to files", ({ now }) => bytes(now.files)],
  ["Errors", ({ errors }) => exact(errors)],
];
const OF_CONNECTORS = [
  ["Messages", ({ connector }) => exact(connector.messages)],
  ["Last minibatch", ({ connector }) => exact(connector.last_minibatch)],
  ["Last minute", ({ connector }) => exact(connector.last_minute)],
  ["Minibatches", ({ connector }) => exact(connector.minibatches)],
  ["Not parsed", ({ connector }) => exact(connector.errors)],
  ["Dead letters", ({ connector }) => exact(connector.dead_letters)],
  ["Read", ({ connector }) => readTo(connector.reading)],
  ["Finished", ({ connector }) => (connector.finished ? "yes" : "no")],
];
const OF_SINKS = [
  ["Rows written", ({ sink }) => exact(sink.rows)],
  ["Time writing", ({ sink }) => duration(sink.busy_seconds * 1000)],
];

const CHARTS = [
  ["Rows in a second", count, ({ inRate }) => inRate, 1],
  ["Rows out a second", count, ({ outRate }) => outRate, 1],
  ["Busy", percent, ({ busy }) => busy, 0.01],
  ["Latency", duration, ({ latency }) => latency, 10],
  ["State", bytes, ({ memory, files }) => memory + files, 1000],
];

const WORKERS = [
  { title: "Worker", cell: ({ worker }) => String(worker), kind: "number" },
  { title: "Rows in", cell: ({ rows_in: rows }) => count(rows), kind: "number" },
  { title: "Rows out", cell: (worker) => count(worker.insertions + worker.deletions), kind: "number" },
  { title: "Busy", cell: ({ busy }) => percent(busy), kind: "number" },
  { title: "State", cell: ({ memory, files }) => bytes(memory + files), kind: "number" },
];

export class Panel {
  operator = null;
  operators = [];
  #values = [];
  #charts = [];
  #asked = null;
  #remembering = false;
  #shown = "";

  constructor() {
    this.element = el("section", { class: "panel", "aria-label": "Operator", hidden: true });
  }

  /** Shows these operators. */
  open(run, operators) {
    this.element.hidden = operators.length === 0;
    const key = operators.map(({ id }) => id).join();
    if (this.run === run && this.#shown === key) return;
    this.#shown = key;
    this.#asked = null;
    this.operators = operators;
    this.operator = operators.length === 1 ? operators[0] : null;
    this.run = run;
    this.element.replaceChildren();
    if (this.operator) this.#openOne(this.operator);
    else if (operators.length) this.#openAll(operators);
  }

  #openAll(operators) {
    this.ranking = new Ranking();
    this.element.append(
      heading(`${operators[0].label} × ${operators.length}`),
      el("p", { class: "hint" }, "operators of one line, the busiest first"),
      source(operators[0].line), this.ranking.element);
    this.update();
  }

  #openOne(operator) {
    this.#values = [];
    const numbers = [...(operator.connector ? OF_CONNECTORS : []), ...(operator.sink ? OF_SINKS : []), ...NUMBERS];
    const list = numbers.map(([name, write]) => {
      const value = el("dd");
      this.#values.push([value, write]);
      return el("div", {}, el("dt", {}, name), value);
    });
    this.#charts = CHARTS.map(([title, write, of, floor]) => [new Chart({ title, series: [""], write, small: true, floor }), of]);
    this.workers = new Table({ caption: "Workers", columns: WORKERS, key: ({ worker }) => worker, empty: "" });
    this.errors = el("div");
    this.element.append(
      heading(operator.title),
      el("p", { class: "hint" }, [operator.name ? operator.label : null, `operator ${operator.id}`].filter(Boolean).join(" · ")),
      source(operator.line),
      this.errors,
      el("dl", { class: "facts" }, list),
      el("div", { class: "charts" }, this.#charts.map(([chart]) => chart.element)),
      el("h3", {}, "Workers"), this.workers.element,
      this.#neighbours("Reads", operator.inputs), this.#neighbours("Read by", operator.readers));
    this.update();
  }

  update() {
    const { operator, run } = this;
    if (!operator && this.operators.length) {
      const load = (one) => one.now?.load ?? 0;
      this.ranking.show([...this.operators].sort((one, other) => load(other) - load(one)));
    }
    if (!operator?.now) return;
    const { input, at } = run.now.snapshot;
    for (const [value, write] of this.#values) setText(value, write(operator, { input, at }));
    this.#draw();
    this.workers.show(operator.workers);
    this.#tellErrors();
    if (run.recorded) this.#remember();
  }

  #draw() {
    const { operator, run } = this;
    const { at } = run.now.snapshot;
    const times = operator.past.map((moment) => moment.at);
    for (const [chart, of] of this.#charts) {
      chart.show(times, [operator.past.map(of)], Math.max(times[0], at - 180_000), Math.max(at, times[0] + 30_000));
    }
  }

  /** The minutes before a moment that was chosen, which nobody has looked at. */
  async #remember() {
    if (this.#remembering) return;
    this.#remembering = true;
    try {
      while (this.operator?.now && this.operator.remembered !== this.operator.now.at) {
        const { operator, run } = this;
        const { at } = operator.now;
        const { run: of, moments } = await api.past(operator.id, at);
        if (of !== run.id) return;
        // Another moment or operator may have been chosen in between.
        if (operator !== this.operator || operator.now?.at !== at) continue;
        operator.remember(moments, at);
        this.#draw();
      }
    } catch (error) {
      // Whether there are answers is told by what asks each second; this is asked again then.
      if (!(error instanceof api.NoAnswer || error instanceof api.Locked)) throw error;
    } finally {
      this.#remembering = false;
    }
  }

  /** The last errors of this operator, asked for when there are more. */
  async #tellErrors() {
    const { operator } = this;
    if (!operator.errors || operator.errors === this.#asked) return;
    this.#asked = operator.errors;
    try {
      const { errors } = await api.errors();
      if (operator !== this.operator) return;
      const own = errors.filter((error) => error.operator === operator.id).slice(-3).reverse();
      this.errors.replaceChildren(...own.map((error) =>
        el("p", { class: "error" }, el("b", {}, error.message), ` ${clock(error.time)}`)));
    } catch {
      // Whether the run answers is told by what asks each second; this is asked again with the next error.
      this.#asked = null;
    }
  }

  #neighbours(title, ids) {
    const links = ids.map((id) => el("li", {}, el("a", { href: `#/pipeline/${id}` }, this.run.operators.get(id)?.title ?? String(id))));
    return links.length ? el("div", { class: "neighbours" }, el("h3", {}, title), el("ul", {}, links)) : null;
  }
}

function heading(title) {
  return el("header", {}, el("h2", {}, title),
    el("a", { class: "close", href: "#/pipeline", "aria-label": "Close", title: "Close" }, "×"));
}

function source(line) {
  if (!line) return el("p", { class: "hint" }, "The line of the program is not known.");
  const where = line.function === "<module>" ? "" : ` in ${line.function}`;
  return el("figure", { class: "source" },
    el("figcaption", {}, `${line.file}:${line.line}${where}`), el("pre", {}, el("code", {}, line.source.trim())));
}
