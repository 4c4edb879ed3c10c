// The drawing of the running plan: cards with live numbers, moved and zoomed with pointer or keys.

import { setText, svg } from "../dom.js";
import { count, duration, exact, NONE, percent, place } from "../format.js";
import { Canvas } from "./canvas.js";
import { cards } from "./cards.js";
import { CARD, layout } from "./layout.js";

/** About how wide letters are, in parts of a card. */
const TITLE_LETTERS = 25;
const PLACE_LETTERS = 29;
const FAR_LETTERS = 20;

const cut = (text, letters) => (text.length > letters ? `${text.slice(0, letters - 1)}…` : text);

export class GraphView {
  #cards = new Map();
  #lines = [];
  #places = new Map();
  #of = new Map();
  #focused = null;

  /** @param choose is told the card that was chosen, or null */
  constructor(choose) {
    this.choose = choose;
    const label = "Operators. Arrow keys go along the lines, Enter opens, plus, minus and 0 zoom.";
    Object.assign(this, new Canvas(label, (event) => this.#key(event)));
  }

  /** Draws another plan. */
  open(run, byLine) {
    this.run = run;
    this.#focused = null;
    const { all, of } = cards([...run.operators.values()], byLine);
    this.#of = of;
    const { places, lines, frames, box } = layout(all);
    this.#places = places;
    this.#lines = lines.map((line) => ({ ...line, element: svg("path", { class: "edge", d: line.path, "marker-end": "url(#arrow)" }) }));
    this.#cards = new Map(all.map((card) => [card.id, this.#draw(card, places.get(card.id))]));
    const drawn = [...this.#cards.values()].map(({ element }) => element);
    this.content.replaceChildren(...frames.map(frame), ...this.#lines.map((line) => line.element), ...frames.map(title), ...drawn);
    this.viewport.open(box);
  }

  /** Shows the numbers of the moment. */
  update() {
    for (const { update } of this.#cards.values()) update();
    for (const { from, element } of this.#lines) {
      const rate = this.#cards.get(from).card.now?.outRate ?? 0;
      element.style.setProperty("--width", `${rate > 0 ? 1.25 + Math.min(2.5, Math.log10(1 + rate) / 2) : 1.25}px`);
      element.classList.toggle("flowing", rate > 0);
    }
  }

  /** Marks the card of an operator and its lines. */
  mark(operator) {
    const id = this.#of.get(operator)?.id ?? null;
    for (const [own, card] of this.#cards) card.element.classList.toggle("chosen", own === id);
    for (const { from, to, element } of this.#lines) element.classList.toggle("near", from === id || to === id);
    this.#focus(id);
  }

  /** Marks operators that were searched for; null if none were. */
  found(ids) {
    for (const { card, element } of this.#cards.values()) {
      const isFound = ids !== null && card.members.some((member) => ids.has(member.id));
      element.classList.toggle("found", isFound);
      element.classList.toggle("faded", ids !== null && !isFound);
    }
  }

  /** Brings an operator into sight. */
  reveal(operator) {
    const at = this.#places.get(this.#of.get(operator)?.id);
    if (at) this.viewport.reveal(at, CARD);
  }

  #draw(node, { x, y }) {
    const title = svg("text", { class: "label", x: 12, y: 20 }, cut(node.title, TITLE_LETTERS));
    const where = svg("text", { class: "place", x: 12, y: 36 }, cut(subtitle(node), PLACE_LETTERS));
    const numbers = svg("text", { class: "numbers", x: 12, y: 53 });
    const busy = svg("text", { class: "numbers", x: CARD.width - 12, y: 53, "text-anchor": "end" });
    const badge = svg("text", { class: "badge", x: CARD.width - 12, y: 20, "text-anchor": "end" });
    const bar = svg("rect", { class: "bar", x: 3, y: CARD.height - 3, height: 3, width: 0 });
    const far = svg("text", { class: "far-label", x: CARD.width / 2, y: CARD.height / 2, "text-anchor": "middle" },
      cut(node.title, FAR_LETTERS));
    far.style.setProperty("--size", `${Math.min(26, (CARD.width * 1.4) / far.textContent.length)}px`);
    const element = svg("g", { class: `card ${node.kind}`, id: `operator-${node.id}`, role: "button", "data-operator": node.id,
      transform: `translate(${x - CARD.width / 2},${y - CARD.height / 2})`,
      click: () => !this.viewport.moved && this.choose(node) },
      svg("rect", { class: "body", width: CARD.width, height: CARD.height, rx: 6 }),
      bar,
      svg("rect", { class: "outline", width: CARD.width, height: CARD.height, rx: 6 }),
      far, title, where, numbers, busy, badge);
    return { card: node, element, update: () => {
      const { now } = node;
      if (!now) return;
      const late = now.done ? "finished" : duration(now.latency);
      setText(numbers, now.inRate === null ? `${exact(now.rowsOut)} rows` : flow(node, now));
      setText(busy, `${late === NONE ? "" : `${late} · `}${percent(now.busy)}`);
      setText(badge, badgeOf(node, now));
      const share = now.busy ?? 0;
      bar.setAttribute("width", (CARD.width - 6) * share);
      element.style.setProperty("--heat", `${Math.round(Math.sqrt(share) * 48)}%`);
      element.classList.toggle("done", now.done);
      element.classList.toggle("wrong", node.errors > 0);
      element.setAttribute("aria-label", `${node.title}, ${subtitle(node)}, ${flow(node, now)}, busy ${percent(now.busy)}`);
    } };
  }

  #key(event) {
    if (event.key === "Enter" && this.#focused !== null) this.choose(this.#cards.get(this.#focused).card);
    else if (event.key === "Escape") this.choose(null);
    else if (event.key.startsWith("Arrow")) this.#go(event.key);
    else return;
    event.preventDefault();
  }

  /** Goes to what an operator reads, to what reads it, or to what stands beside it. */
  #go(key) {
    const from = this.#cards.get(this.#focused)?.card;
    let next = this.#cards.keys().next().value;
    if (from) {
      const { x, y } = this.#places.get(from.id);
      const beside = (sign) => [...this.#places].filter(([, at]) => Math.abs(at.y - y) < CARD.height && (at.x - x) * sign > 0)
        .sort(([, one], [, other]) => Math.abs(one.x - x) - Math.abs(other.x - x))[0]?.[0];
      next = key === "ArrowUp" ? from.inputs[0] : key === "ArrowDown" ? from.readers[0] : beside(key === "ArrowLeft" ? -1 : 1);
    }
    if (next === undefined) return;
    this.#focus(next);
    this.reveal(next);
  }

  #focus(id) {
    this.#focused = id;
    for (const [own, card] of this.#cards) card.element.classList.toggle("focused", own === id);
    if (id === null) this.drawing.removeAttribute("aria-activedescendant");
    else this.drawing.setAttribute("aria-activedescendant", `operator-${id}`);
  }
}

function frame({ kind, x, y, width, height }) {
  return svg("rect", { class: `frame ${kind}`, x, y, width, height, rx: 9 });
}

/** Above lines that cross it. */
function title({ kind, title, x, y, width }) {
  return svg("text", { class: `frame ${kind}`, x: x + 10, y: y + 15 },
    svg("title", {}, title), cut(title, Math.floor((width - 20) / 6.8)));
}

/** What stands below the name: the line, and the kind of connectors. */
function subtitle(node) {
  const parts = [place(node.line), node.name ? node.label : ""];
  return parts.filter(Boolean).join(" ") || `operator ${node.id}`;
}

function flow({ kind }, now) {
  const out = `${count(now.outRate)}/s`;
  if (kind === "input") return out;
  return kind === "output" ? `${count(now.inRate)}/s` : `${count(now.inRate)} → ${out}`;
}

function badgeOf(operator, now) {
  if (operator.errors > 0) return `${count(operator.errors)} ${operator.errors === 1 ? "error" : "errors"}`;
  if (now.files > 0) return "spilled";
  return operator.kind === "operator" ? "" : operator.kind;
}
