// A row and those that it comes from, as lists that are folded and unfolded. A row that several come from is shown once.

import { el } from "../dom.js";
import { exact, place } from "../format.js";

/** Rows of a group that are asked for at first, and by how many more each time. */
const STEP = 10;
const MORE = 100;
/** Levels that are unfolded at first. */
const OPEN = 6;

const key = ({ table, id }) => `${table} ${id}`;

export class Tree {
  /** What is shown of each row. */
  #shown = new Map();

  /** @param ask gives `{ rows }` for a table, an id and a limit */
  constructor(ask) {
    this.ask = ask;
  }

  /** The element of a row with all that it comes from. */
  async grown(table, id) {
    const { rows } = await this.ask(table, id, STEP);
    const list = el("ul", { class: "tree" }, this.#item(rows, 0, 0));
    const unfold = (open) => () => {
      // What has not been asked for yet is left to be.
      for (const details of list.querySelectorAll("details:not([data-unasked])")) details.open = open;
    };
    const tools = el("div", { class: "tools" },
      el("button", { type: "button", click: unfold(true) }, "Unfold all"),
      el("button", { type: "button", click: unfold(false) }, "Fold all"));
    return el("div", {}, rows.length > 1 ? tools : null, list);
  }

  #item(rows, at, depth) {
    const row = rows[at];
    const known = this.#shown.get(key(row));
    if (known) return el("li", { class: "again" }, this.#link(row, known));
    const inside = el("ul");
    const details = el("details", { open: depth < OPEN && row.origins !== null },
      el("summary", {}, shown(row)), made(row), inside);
    this.#shown.set(key(row), details);
    if (row.origins === null) {
      details.dataset.unasked = true;
      details.addEventListener("toggle", () => {
        delete details.dataset.unasked;
        this.#fill(inside, row, STEP, depth);
      }, { once: true });
    } else {
      this.#put(inside, rows, at, depth);
    }
    return el("li", {}, details);
  }

  /** The rows that one comes from, and what else there is to say of them. */
  #put(inside, rows, at, depth) {
    const row = rows[at];
    inside.replaceChildren(
      ...row.origins.map((origin) => this.#item(rows, origin, depth + 1)), ...this.#remarks(inside, row, depth));
  }

  #remarks(inside, row, depth) {
    const remarks = row.ends.map((reason) => el("li", { class: "ends" }, `Not followed further: ${reason}.`));
    if (row.more > 0) {
      const limit = row.origins.length + MORE;
      const text = `and ${exact(row.more)} more ${row.more === 1 ? "row" : "rows"}`;
      const button = el("button", { type: "button", click: () => this.#fill(inside, row, limit, depth) },
        row.more > MORE ? `Show ${exact(MORE)} of them` : "Show all");
      remarks.unshift(el("li", { class: "more" }, `${text} `, button));
    }
    return remarks;
  }

  /** Asks for more of what a row comes from. */
  async #fill(inside, row, limit, depth) {
    let rows;
    try {
      ({ rows } = await this.ask(row.table, row.id, limit));
    } catch (error) {
      inside.append(this.#refusal(error, () => this.#fill(inside, row, limit, depth)));
      return;
    }
    // What was below it is made anew.
    for (const old of inside.querySelectorAll("details")) {
      for (const [name, details] of this.#shown) if (details === old) this.#shown.delete(name);
    }
    this.#put(inside, rows, 0, depth);
  }

  /** Why nothing more is told, and a button to ask once more. */
  #refusal(error, ask) {
    const refusal = el("li", { class: "ends", role: "alert" }, `The server does not answer: ${error.message} `);
    const again = () => {
      refusal.remove();
      ask();
    };
    refusal.append(el("button", { type: "button", click: again }, "Ask again"));
    return refusal;
  }

  /** Leads to where a row is shown already. */
  #link(row, details) {
    const show = (event) => {
      event.preventDefault();
      for (let outer = details; outer; outer = outer.parentElement.closest("details")) outer.open = true;
      const summary = details.querySelector("summary");
      summary.focus();
      summary.scrollIntoView({ block: "center" });
    };
    return el("a", { href: location.hash, click: show }, shown(row), el("span", { class: "hint" }, " shown already"));
  }
}

/** The id and the cells. */
function shown({ id, short, cells }) {
  return el("span", { class: "row" },
    el("code", { class: "id", title: id }, short),
    cells.map(([name, text]) => el("span", { class: "cell" }, el("span", { class: "name" }, name), " ", el("code", {}, text))));
}

/** What made a row, at which line. */
function made(row) {
  const inside = row.function && row.function !== "<module>" ? ` in ${row.function}` : "";
  return el("p", { class: "made" },
    el("b", {}, row.operations.join(" < ")),
    row.file ? el("span", { class: "hint", title: row.file }, `${place(row)}${inside}`) : null,
    row.source ? el("code", {}, row.source) : null);
}
