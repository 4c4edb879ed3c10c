// Errors that rows met, each with its place in the program, and records that were rejected.

import * as api from "../api.js";
import { el, setText } from "../dom.js";
import { clock, exact, place } from "../format.js";
import { Table } from "../table.js";

export class Errors {
  title = "Errors";
  #told = null;
  #asking = false;

  constructor() {
    const time = { title: "Time", cell: (row) => clock(row.time), by: (row) => row.time, kind: "time" };
    const key = (row) => row.number;
    this.errors = new Table({
      caption: "Errors", key, empty: "No row has met an error.",
      columns: [
        time,
        { title: "Message", cell: (row) => row.message, by: (row) => row.message, kind: "text" },
        { title: "Operator", cell: (row) => this.#operator(row.operator), by: (row) => row.operator },
        { title: "Place", cell: where, by: (row) => `${row.file}:${String(row.line).padStart(6)}`, kind: "where" },
      ],
    });
    this.letters = new Table({
      caption: "Dead letters", key, empty: "No record has been rejected.",
      columns: [
        time,
        { title: "Source", cell: (row) => this.#operator(row.operator, row.source), by: (row) => row.source },
        { title: "Reason", cell: (row) => row.reason, by: (row) => row.reason, kind: "text" },
        { title: "Record", cell: (row) => row.payload, kind: "code" },
      ],
    });
    this.shownErrors = el("span", { class: "hint" });
    this.shownLetters = el("span", { class: "hint" });
    this.element = el("div", { class: "page" },
      el("section", { class: "box" }, el("h2", {}, "Errors ", this.shownErrors), this.errors.element),
      el("section", { class: "box" }, el("h2", {}, "Dead letters ", this.shownLetters), this.letters.element));
  }

  open(run) {
    this.run = run;
    this.#told = null;
    this.errors.show([]);
    this.letters.show([]);
  }

  show() {}

  /** Asks when there is something new. */
  async update(run) {
    const { errors: errorCount, deadLetters: letterCount } = run.vitals;
    const counts = `${errorCount} ${letterCount}`;
    if (this.#asking || counts === this.#told) return;
    this.#asking = true;
    try {
      const [errors, letters] = await Promise.all([api.errors(), api.deadLetters()]);
      if (errors.run !== this.run.id || letters.run !== this.run.id) return;
      this.errors.show(errors.errors.reverse());
      this.letters.show(letters.dead_letters.reverse());
      setText(this.shownErrors, shown(errors.total, errors.errors.length));
      setText(this.shownLetters, shown(letters.total, letters.dead_letters.length));
      this.#told = counts;
    } finally {
      this.#asking = false;
    }
  }

  #operator(id, text = null) {
    const operator = this.run.operators.get(id);
    if (!operator) return text ?? `operator ${id}`;
    return el("a", { href: `#/pipeline/${id}` }, text ?? operator.title);
  }
}

function where(row) {
  if (row.file === null) return "not known";
  const inside = row.function && row.function !== "<module>" ? ` in ${row.function}` : "";
  return el("div", {}, el("span", { class: "hint" }, `${place(row)}${inside}`), el("code", {}, row.source.trim()));
}

function shown(total, there) {
  if (total === 0) return "";
  return total > there ? `the last ${exact(there)} of ${exact(total)}` : exact(total);
}
