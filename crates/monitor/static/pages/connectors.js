// Where rows come from and where they go.

import { el } from "../dom.js";
import { count, duration, exact, percent, place, readTo } from "../format.js";
import { lag, latency } from "../model.js";
import { Table } from "../table.js";

const link = ({ operator }) => el("a", { href: `#/pipeline/${operator.id}` }, operator.title);
const name = { title: "Name", cell: link, by: ({ operator }) => operator.title };
const kind = { title: "Kind", cell: ({ operator }) => operator.label.replace(/^(in|out)put\((.*)\)$/, "$2") };
const line = { title: "Line", cell: ({ operator }) => place(operator.line), kind: "code" };
const number = (title, of, write = exact) => ({ title, cell: (row) => write(of(row)), by: of, kind: "number" });
const counted = (title, of) => ({
  title,
  cell: (row) => el("span", { class: of(row) > 0 ? "bad" : "" }, exact(of(row))),
  by: of,
  kind: "number",
});

/** How far a source is whose length is known. */
function bar({ name, reading }) {
  if (!reading) return null;
  const { done, all } = reading;
  return el("span", { title: readTo(reading) },
    el("progress", { value: done, max: all, "aria-label": `read of ${name}` }), ` ${percent(Math.floor((done / all) * 100) / 100)}`);
}

const INPUTS = [
  name, kind, line,
  { title: "State", cell: ({ connector }) => el("span", { class: "state" },
    el("span", { class: `pill ${connector.finished ? "ended" : "running"}` }, connector.finished ? "finished" : "reading"),
    connector.finished ? null : bar(connector)) },
  number("Last minibatch", ({ connector }) => connector.last_minibatch),
  number("Last minute", ({ connector }) => connector.last_minute),
  number("Total", ({ connector }) => connector.messages),
  counted("Errors", ({ connector }) => connector.errors),
  counted("Dead letters", ({ connector }) => connector.dead_letters),
  number("Latency", ({ connector, at }) => latency(connector.frontier, at), duration),
];
const OUTPUTS = [
  name, kind, line,
  number("Rows", ({ sink }) => sink.rows),
  number("Rows/s", ({ operator }) => operator.now?.inRate ?? null, count),
  number("Time writing", ({ sink }) => sink.busy_seconds * 1000, duration),
  number("Latency", ({ sink, at }) => latency(sink.frontier, at), duration),
  number("Behind inputs", ({ sink, at, input }) => lag(sink.frontier, input, at), duration),
];

export class Connectors {
  title = "Connectors";
  isRecorded = true;

  constructor() {
    const key = ({ operator }) => operator.id;
    this.inputs = new Table({ caption: "Inputs", columns: INPUTS, key, empty: "The run has no inputs yet." });
    this.outputs = new Table({ caption: "Outputs", columns: OUTPUTS, key, empty: "This process writes no outputs." });
    this.element = el("div", { class: "page" },
      el("section", { class: "box" }, el("h2", {}, "Inputs"), this.inputs.element),
      el("section", { class: "box" }, el("h2", {}, "Outputs"), this.outputs.element));
  }

  open() {}

  show() {}

  update(run) {
    const snapshot = run.now?.snapshot;
    if (!snapshot) return;
    const { at, input } = snapshot;
    const rows = (list, key) => list.map((entry) => ({ operator: run.operators.get(entry.id), [key]: entry, at, input }))
      .filter(({ operator }) => operator);
    this.inputs.show(rows(snapshot.connectors, "connector"));
    this.outputs.show(rows(snapshot.sinks, "sink"));
  }
}
