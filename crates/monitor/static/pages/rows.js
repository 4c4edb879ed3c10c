// Why a row is there: the outputs, their rows, and what one of them comes from. The address names output and row.
//
// GET api/outputs:
//   { "program": "flights.py", "version": "0.33.0",
//     "recording": "record",            null: inputs were read as in a run
//     "outputs": [{ "name": "csv(late.csv)", "table": 0, "rows": 12, "columns": ["city", "flights"],
//                   "file": "/home/ada/flights.py", "line": 17 }…] }     "" and 0 if the line is not known
//
// GET api/rows?output=0&text=Newark: the first rows with this text in a cell, or at the beginning of the id.
//   { "total": 123, "of": 456,        how many there are with it, and without
//     "rows": [{ "id": "^HAAE…", "short": "^HAAE7AA...", "cells": ["'Newark'", "2"] }…] }
//
// GET api/reason?table=0&id=^HAAE…&limit=10: a row, so many of those that it comes from, and what these come from.
//   { "rows": [{ "table": 0, "id": "^HAAE…", "short": "^HAAE7AA...", "cells": [["city", "'Newark'"]…],
//                "operations": ["select"], "file": "…", "line": 17, "function": "<module>", "source": "top = …",
//                "origins": [1, 2],     places of others in this list; null: there are some, to be asked for
//                "more": 93,            others that it comes from
//                "ends": ["…"] }…] }    why these are not all
//
// What is not there is answered with 404.

import * as api from "../api.js";
import { el, setText } from "../dom.js";
import { exact, place } from "../format.js";
import { Table } from "../table.js";
import { Tree } from "./tree.js";

const asked = (path, words) => api.get(`${path}?${new URLSearchParams(words)}`);
const plural = (number, what) => `${exact(number)} ${what}${number === 1 ? "" : "s"}`;

export class Rows {
  title = "Rows";
  #output = null;
  #row = null;
  /** What was asked for last: answers to earlier questions come too late. */
  #search = 0;
  #question = 0;
  /** A search is under way; it is followed by another if the text is another one by then. */
  #searches = false;

  constructor(outputs) {
    this.outputs = outputs;
    const options = outputs.map(({ name, rows }, number) =>
      el("option", { value: number }, `${name} – ${plural(rows, "row")}`));
    this.choice = el("select", { "aria-label": "Output", change: () => {
      location.hash = `#/${this.choice.value}`;
    } }, options);
    this.text = el("input", { type: "search", placeholder: "Rows with…", "aria-label": "Rows with", input: () => this.#find() });
    this.hits = el("output", { class: "hits" });
    this.where = el("p", { class: "hint where" });
    this.list = el("div");
    this.reasons = el("div", { class: "reasons" });
    this.told = el("p", { class: "empty", role: "status" });
    this.why = el("section", { class: "box why", tabindex: -1, "aria-label": "Why the row is there" },
      el("h2", {}, "Why is this row here?"), this.told, this.reasons);
    this.element = el("div", { class: "page rows" },
      el("section", { class: "box outputs" },
        el("h2", {}, "Rows"),
        el("div", { class: "tools" }, this.choice, this.text),
        this.where, this.hits, this.list),
      this.why);
  }

  /** Shows what the address names. */
  show() {
    const [, number, row] = location.hash.split("/");
    const output = this.outputs[number] ? Number(number) : 0;
    const isOther = output !== this.#output;
    if (isOther) this.#open(output);
    const id = row ? decoded(row) : null;
    if (!isOther && id === this.#row) return;
    this.#row = id;
    this.#mark();
    this.#tell(id);
  }

  #open(number) {
    this.#output = number;
    const output = this.outputs[number];
    this.choice.value = number;
    this.text.value = "";
    setText(this.where, output.file ? `written at ${place(output)}` : "");
    const cell = (column) => (row) => row.cells[column];
    this.table = new Table({
      caption: `Rows of ${output.name}`,
      key: (row) => row.id,
      empty: "",
      columns: [
        { title: "Id", kind: "code", cell: (row) => el("a", { href: `#/${number}/${encodeURIComponent(row.id)}`, title: row.id }, row.short) },
        ...output.columns.map((title, column) => ({ title, kind: "cell", cell: cell(column) })),
      ],
    });
    // A row is large, the link in it small.
    this.table.body.addEventListener("click", (event) => {
      if (!getSelection().isCollapsed) return;
      event.target.closest("tr")?.querySelector("a").click();
    });
    this.list.replaceChildren(this.table.element);
    this.#find();
  }

  /** One search at a time: all rows of the output are looked at. */
  async #find() {
    this.#search += 1;
    if (this.#searches) return;
    this.#searches = true;
    try {
      for (let search = null; search !== this.#search;) {
        search = this.#search;
        await this.#findNow(search);
      }
    } finally {
      this.#searches = false;
    }
  }

  async #findNow(search) {
    const text = this.text.value.trim();
    try {
      const found = await asked("rows", { output: this.#output, text });
      if (search !== this.#search) return;
      this.table.show(found.rows);
      setText(this.table.empty, text ? `No row has “${text}” in a cell.` : "The output has no rows.");
      setText(this.hits, this.#counted(found, text));
      this.#mark();
    } catch (error) {
      if (search === this.#search) setText(this.hits, failure(error));
    }
  }

  #counted({ total, of, rows }, text) {
    const matching = text ? `${exact(total)} of ${plural(of, "row")}` : plural(of, "row");
    const rest = total - rows.length;
    return rest > 0 ? `${matching}, the first ${exact(rows.length)} of them here: ${exact(rest)} more` : matching;
  }

  /** Marks the row that is chosen. */
  #mark() {
    for (const line of this.table.body.children) {
      const link = line.querySelector("a");
      if (link.title === this.#row) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }

  async #tell(id) {
    const question = ++this.#question;
    this.reasons.replaceChildren();
    if (id === null) {
      setText(this.told, "Choose a row: here is told which rows it comes from, back to the inputs.");
      return;
    }
    setText(this.told, "");
    try {
      const { table } = this.outputs[this.#output];
      const about = (of, row, limit) => asked("reason", { table: of, id: row, limit });
      const tree = new Tree(about);
      const element = await tree.grown(table, id);
      if (question !== this.#question) return;
      this.reasons.replaceChildren(element);
      // Where they are not side by side.
      if (this.why.offsetTop > this.list.offsetTop) this.why.scrollIntoView();
    } catch (error) {
      if (question === this.#question) setText(this.told, error.status === 404 ? `The output has no row ${id}.` : failure(error));
    }
  }
}

/** A part of the address; what cannot be read is nobody's id. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return part;
  }
}

function failure(error) {
  if (!(error instanceof api.NoAnswer || error instanceof api.Locked)) throw error;
  return error.status === null ? "The server does not answer: has it ended?" : `The server fails: ${error.message}`;
}
