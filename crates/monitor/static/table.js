// Tables whose rows stay where they are while their numbers change.

import { el, setText } from "./dom.js";

export class Table {
  #rows = new Map();
  #sorted = null;

  /**
   * @param caption what it shows, for those who do not see it
   * @param columns of `title`, `cell` (a row's text or element), `kind` (a class: `number`, `code`, …), and `by`, what
   * it is sorted by when its title is pressed
   * @param key what tells rows apart
   * @param empty what stands where there are no rows
   */
  constructor({ caption, columns, key, empty }) {
    Object.assign(this, { columns, key });
    this.heads = columns.map((column, place) => {
      const title = column.by
        ? el("button", { type: "button", click: () => this.#sortBy(place) }, column.title)
        : column.title;
      return el("th", { scope: "col", class: column.kind ?? "" }, title);
    });
    this.body = el("tbody");
    this.empty = el("p", { class: "empty" }, empty);
    this.table = el("table", {},
      el("caption", { class: "unseen" }, caption), el("thead", {}, el("tr", {}, this.heads)), this.body);
    this.element = el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
      this.table, this.empty);
    this.data = [];
  }

  show(data) {
    this.data = data;
    this.empty.hidden = data.length > 0;
    this.table.hidden = data.length === 0;
    const kept = new Map();
    for (const row of data) {
      const key = this.key(row);
      const known = this.#rows.get(key) ?? this.#newRow();
      kept.set(key, known);
      this.columns.forEach((column, place) => fill(known.cells[place], column.cell(row)));
    }
    this.#rows = kept;
    const order = this.#ordered().map((row) => kept.get(this.key(row)).element);
    const inOrder = order.length === this.body.children.length
      && order.every((element, place) => this.body.children[place] === element);
    if (!inOrder) this.body.replaceChildren(...order);
  }

  #newRow() {
    const cells = this.columns.map((column) => el("td", { class: column.kind ?? "", "data-title": column.title }));
    return { cells, element: el("tr", {}, cells) };
  }

  #ordered() {
    if (!this.#sorted) return this.data;
    const { by } = this.columns[this.#sorted.place];
    const compare = (one, other) => {
      const [left, right] = [by(one) ?? -Infinity, by(other) ?? -Infinity];
      return (left < right ? -1 : left > right ? 1 : 0) * this.#sorted.sign;
    };
    return [...this.data].sort(compare);
  }

  #sortBy(place) {
    const again = this.#sorted?.place === place;
    this.#sorted = { place, sign: again ? -this.#sorted.sign : this.columns[place].kind === "number" ? -1 : 1 };
    this.heads.forEach((head, own) => {
      if (own === place) head.setAttribute("aria-sort", this.#sorted.sign > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    this.show(this.data);
  }
}

function fill(cell, content) {
  if (content instanceof Node) {
    // An element that says the same is left, so that it keeps the focus.
    if (!cell.firstElementChild?.isEqualNode(content)) cell.replaceChildren(content);
  } else {
    setText(cell, content);
  }
}
