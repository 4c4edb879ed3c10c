// The moment that is looked at, of a run that is recorded: the latest one, or one that a person has chosen.

import * as api from "./api.js";
import { el, setText } from "./dom.js";
import { elapsed, moment } from "./format.js";

const MINUTE = 60_000;

export class Timeline {
  #run = null;
  #times = [];
  #looking = false;
  #again = false;

  /** @param changed is called when the run shows another moment */
  constructor(changed) {
    this.changed = changed;
    const step = (text, label, by) =>
      el("button", { type: "button", class: "step", "aria-label": label, title: label, click: () => this.#step(by) }, text);
    this.slider = el("input", { type: "range", step: "any", "aria-label": "Moment",
      input: () => this.#choose(this.#nearest(Number(this.slider.value))), keydown: (event) => this.#key(event) });
    this.when = el("time");
    this.since = el("span", { class: "hint" });
    this.latest = el("button", { type: "button", class: "latest", click: () => this.#choose(null) }, "Latest");
    this.element = el("section", { class: "timeline", "aria-label": "Recorded time", hidden: true },
      step("‹", "Earlier", -1), this.slider, step("›", "Later", 1),
      el("output", {}, this.when, " ", this.since), this.latest);
  }

  /** Begins with a run, which may be none that is recorded. */
  open(run) {
    this.#run = run;
    this.#times = [];
    run.chosen = null;
    this.element.hidden = true;
  }

  /** Brings the run up to what is recorded: its last moment, unless another one is chosen. */
  async follow(run, now) {
    const { run: of, times } = await api.times(this.#times.at(-1) ?? 0);
    if (of !== run.id || run !== this.#run) return;
    this.#times.push(...times);
    this.element.hidden = this.#times.length === 0;
    run.state = now.state;
    if (run.chosen !== null ? run.chosen !== run.now?.at : !run.now) await this.#look();
    else if (run.chosen === null) run.update(now);
    this.#draw();
  }

  /** @param time null for the latest, also if there will be later ones */
  async #choose(time) {
    const run = this.#run;
    run.chosen = time === this.#times.at(-1) ? null : time;
    this.#draw();
    try {
      await this.#look();
    } catch (error) {
      // The next second asks once more, and tells.
      if (!(error instanceof api.NoAnswer || error instanceof api.Locked)) throw error;
    }
  }

  /** Asks for the moment that is chosen; while an answer is under way, the last choice counts. */
  async #look() {
    this.#again = this.#looking;
    if (this.#looking) return;
    this.#looking = true;
    try {
      do {
        this.#again = false;
        const run = this.#run;
        const { run: of, moments } = await api.moments(run.chosen ?? this.#times.at(-1));
        if (of !== run.id || run !== this.#run) return;
        run.show(moments);
        this.#draw();
        this.changed();
      } while (this.#again);
    } finally {
      this.#looking = false;
    }
  }

  #draw() {
    const run = this.#run;
    const at = run.chosen ?? this.#times.at(-1);
    if (at === undefined) return;
    this.slider.min = this.#times[0];
    this.slider.max = Math.max(this.#times.at(-1), this.#times[0] + 1);
    this.slider.value = run.chosen ?? this.slider.max;
    const text = moment(at);
    setText(this.when, text);
    setText(this.since, `${elapsed(at - this.#times[0])} after the start`);
    this.slider.setAttribute("aria-valuetext", run.chosen === null ? `latest, ${text}` : text);
    this.latest.setAttribute("aria-pressed", String(run.chosen === null));
  }

  #key(event) {
    const at = this.#run.chosen ?? this.#times.at(-1);
    const keys = {
      ArrowLeft: () => this.#step(-1), ArrowDown: () => this.#step(-1),
      ArrowRight: () => this.#step(1), ArrowUp: () => this.#step(1),
      PageDown: () => this.#choose(this.#nearest(at - MINUTE)),
      PageUp: () => this.#choose(this.#nearest(at + MINUTE)),
      Home: () => this.#choose(this.#times[0]), End: () => this.#choose(null),
    };
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  }

  /** What was recorded next, or before. */
  #step(by) {
    const last = this.#times.length - 1;
    const place = this.#run.chosen === null ? last : this.#place(this.#run.chosen);
    this.#choose(this.#times[Math.min(last, Math.max(0, place + by))]);
  }

  #nearest(time) {
    return this.#times[this.#place(time)];
  }

  /** The place of the time that is nearest to another one. */
  #place(time) {
    let [low, high] = [0, this.#times.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#times[middle] < time) low = middle + 1;
      else high = middle;
    }
    return low > 0 && time - this.#times[low - 1] < this.#times[low] - time ? low - 1 : low;
  }
}
