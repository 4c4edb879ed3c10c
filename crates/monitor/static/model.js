// What is known of the run: its nodes, their numbers of the moment, and what these were in the last minutes.
//
// The server counts from the start of the run. Rates are made here, from two answers.

/** How many moments are remembered of each node. */
const MOMENTS = 180;
/** How long what an operator has done counts for its place among the slowest, in milliseconds. */
const LOAD = 60_000;

/** How far something is behind a moment, in milliseconds: null if that is not known, or if it has ended. */
export function latency(frontier, at) {
  return frontier.state === "at" ? Math.max(0, at - frontier.time) : null;
}

/** How far something is behind the inputs, in milliseconds: null if that is not known. */
export function lag(frontier, input, at) {
  if (frontier.state === "unknown" || input.state === "unknown") return null;
  if (frontier.state === "done") return 0;
  return Math.max(0, (input.state === "done" ? at : input.time) - frontier.time);
}

const ORDER = { unknown: 0, at: 1, done: 2 };

function least(one, other) {
  if (one.state !== other.state) return ORDER[one.state] < ORDER[other.state] ? one : other;
  return one.state === "at" && other.time < one.time ? other : one;
}

/** A node of the outline with its numbers. */
class Operator {
  constructor(node) {
    Object.assign(this, node);
    this.readers = [];
    this.forget();
  }

  /** Nothing is known of any moment. */
  forget() {
    this.workers = [];
    this.errors = 0;
    this.now = null;
    this.past = [];
    this.remembered = null;
    this.connector = null;
    this.sink = null;
  }

  /** What people call it. */
  get title() {
    return this.name ?? this.label;
  }

  update(at, workers, errors) {
    const sum = (key) => workers.reduce((total, worker) => total + worker[key], 0);
    const before = this.now;
    const now = {
      at,
      rowsIn: sum("rows_in"),
      insertions: sum("insertions"),
      deletions: sum("deletions"),
      busySeconds: sum("busy_seconds"),
      memory: sum("memory"),
      files: sum("files"),
      frontier: workers.map((worker) => worker.frontier).reduce(least),
      inRate: null,
      outRate: null,
      busy: null,
      load: null,
    };
    now.rowsOut = now.insertions + now.deletions;
    now.latency = latency(now.frontier, at);
    const seconds = before ? (at - before.at) / 1000 : 0;
    if (seconds > 0) {
      now.inRate = (now.rowsIn - before.rowsIn) / seconds;
      now.outRate = (now.rowsOut - before.rowsOut) / seconds;
      const busySince = (then) =>
        Math.min(1, (now.busySeconds - then.busySeconds) / ((at - then.at) / 1000) / workers.length);
      now.busy = busySince(before);
      // Rows may come in bursts.
      now.load = busySince(this.past.find((moment) => at - moment.at <= LOAD) ?? before);
    }
    this.workers = workers.map((worker) => {
      const earlier = this.workers.find((other) => other.worker === worker.worker);
      const busy = seconds > 0 && earlier ? (worker.busy_seconds - earlier.busy_seconds) / seconds : null;
      return { ...worker, busy: busy === null ? null : Math.min(1, busy) };
    });
    this.errors = errors;
    this.now = now;
    this.past.push(now);
    if (this.past.length > MOMENTS) this.past.shift();
  }

  /** Takes its minutes until a moment from what was recorded. */
  remember(moments, until) {
    const other = new Operator(this);
    for (const { at, workers } of moments) other.update(at, workers, null);
    if (moments.length) this.past = other.past;
    this.remembered = until;
  }
}

/** One run, as far as it is known. */
export class Run {
  /** @param run the answer of `api/run` */
  constructor(run) {
    Object.assign(this, run);
    const nodes = run.outline?.nodes ?? [];
    /** By number. */
    this.operators = new Map(nodes.map((node) => [node.id, new Operator(node)]));
    for (const node of nodes) {
      for (const input of node.inputs) this.operators.get(input)?.readers.push(node.id);
    }
    this.now = null;
    this.vitals = {};
    /** The moment of a recorded run that is looked at; null for the latest. */
    this.chosen = null;
  }

  /** True if the dataflow was built after this was asked for. */
  lacksOutline(now) {
    return this.operators.size === 0 && now.snapshot !== null;
  }

  /** Shows a moment of the past: the last of these, which are the answer of `api/moments`. */
  show(moments) {
    for (const operator of this.operators.values()) operator.forget();
    this.now = null;
    for (const each of moments) this.update(each);
  }

  /** @param now the answer of `api/now` */
  update(now) {
    const before = this.now;
    // The same moment once more says nothing about rates.
    if (before && now.at <= before.at) return;
    this.now = now;
    this.state = now.state;
    const snapshot = now.snapshot;
    if (snapshot) this.#take(snapshot);
    const seconds = before ? (now.at - before.at) / 1000 : 0;
    const rate = (list, key) => {
      if (!seconds || !before.snapshot || !snapshot) return null;
      const sum = (of) => of[list].reduce((total, entry) => total + entry[key], 0);
      return (sum(snapshot) - sum(before.snapshot)) / seconds;
    };
    this.vitals = {
      in: rate("connectors", "messages"),
      out: rate("sinks", "rows"),
      latency: snapshot ? latency(snapshot.output, snapshot.at) : null,
      resident: now.resident_bytes,
      cpu: seconds ? (now.cpu_seconds - before.cpu_seconds) / seconds : null,
      errors: now.errors,
      deadLetters: now.dead_letters,
    };
  }

  #take(snapshot) {
    const workers = new Map();
    for (const entry of snapshot.operators) {
      if (!workers.has(entry.id)) workers.set(entry.id, []);
      workers.get(entry.id).push(entry);
    }
    for (const [id, entries] of workers) {
      this.operators.get(id)?.update(snapshot.at, entries, snapshot.errors && (snapshot.errors[id] ?? 0));
    }
    for (const [list, key] of [[snapshot.connectors, "connector"], [snapshot.sinks, "sink"]]) {
      for (const entry of list) {
        const operator = this.operators.get(entry.id);
        if (operator) operator[key] = entry;
      }
    }
  }

  /** The operators that were busiest in the last minute, most first. */
  slowest(number) {
    const busy = [...this.operators.values()].filter((operator) => operator.now?.load > 0.0005);
    return busy.sort((one, other) => other.now.load - one.now.load).slice(0, number);
  }
}
