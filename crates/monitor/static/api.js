// What the server of a run answers, and how it is asked. All times are milliseconds since 1970, all addresses are
// relative to the page, all answers are JSON with the header `Cache-Control: no-store`.
//
// GET api/run: what is run, and how that stands.
//   { "id": "b1c2…",                    another run has another one, also if it has the same process
//     "program": "flights.py",          as people call it
//     "version": "0.33.0",
//     "started": 1790000000000,
//     "ended": null,                    when it was over
//     "state": "running",               "running", "ended", "interrupted" or "failed"
//     "message": null,                  why it failed
//     "recorded": false,                told from what was recorded, not by the run: moments can be asked for (below)
//     "process": { "number": 0, "count": 1, "pid": 4242, "workers": 2 },   workers: of this process; pid may be null
//     "outline": { "nodes": [Node…] } } pathway_dataflow::stats::Outline; null before the dataflow is built
//
// GET api/now: asked once a second. Says which run it is of, so that nothing is mixed up.
//   { "run": "b1c2…", "state": "running", "at": 1790000012345,
//     "cpu_seconds": 12.5,              of the process, user and system
//     "resident_bytes": 123456789,      null where the system does not tell
//     "errors": 3, "dead_letters": 1,   how many there were, also those that are not kept
//     "snapshot": Snapshot }            pathway_dataflow::stats::Snapshot; null before the dataflow is built
//
// GET api/history?after=AT: one sample for each second of the last hour, those later than AT; columns of one length.
//   { "run": "b1c2…",
//     "at": [1790000011000, …],
//     "rows_in": [1200.0, …],           changes a second that all sources gave
//     "rows_out": [30.0, …],            changes a second that all sinks wrote
//     "latency_ms": [12, …],            of the output that is furthest behind; null if unknown or if all have ended
//     "resident_bytes": [123456789, …], null where the system does not tell
//     "cpu": [0.8, …] }                 cores in use: 1 is one core
//
// GET api/errors: the last 500 errors that rows met, oldest first.
//   { "run": "b1c2…", "total": 3,
//     "errors": [{ "number": 3, "time": 1790000012000, "operator": 7, "message": "division by zero",
//                  "file": "flights.py", "line": 12, "source": "late / flights", "function": "ratios" }…] }
//   The last four are null if the line is not known.
//
// GET api/dead_letters: the last 500 records that were rejected, oldest first.
//   { "run": "b1c2…", "total": 1,
//     "dead_letters": [{ "number": 1, "time": 1790000012000, "operator": 1, "source": "flights",
//                        "payload": "EWR,abc", "reason": "parse error: …" }…] }
//   "payload" is text, cut at 2,000 characters; bytes that are no UTF-8 are given as U+FFFD.
//
// GET api/log?after=N: the last 2,000 lines of the log with numbers greater than N, oldest first.
//   { "run": "b1c2…", "lines": [{ "number": 17, "time": 1790000012000, "level": "INFO", "text": "…" }…] }
//   "level" is DEBUG, INFO, WARNING or ERROR.
//
// GET explain?format=F&plan=P: how the run computes, with what it has counted so far; not of a run that is recorded. F is "text" or
// "svg" (pathway_explain), P is "before" or "after"; 503 before that is known.
//
// Of a run that is recorded there are no errors, dead letters and log: their numbers are null. It tells of any moment:
//
// GET api/times?after=AT: when samples were recorded, those later than AT.
//   { "run": "b1c2…", "times": [1790000011000, …] }
//
// GET api/moments?at=AT: the last sample that is not later than AT, and the one before it, since rates are made of two; that
// is left out where nothing is known for two minutes. Each is what api/now answers.
//   { "run": "b1c2…", "moments": [{ "at": 1790000010000, … }, { "at": 1790000011000, … }] }
//
// GET api/past?operator=N&at=AT: an operator in the three minutes until AT.
//   { "run": "b1c2…", "moments": [{ "at": 1790000010000, "workers": [the entries of N in Snapshot.operators] }…] }
//
// With a token, each of these answers 401 unless the request has `Authorization: Bearer TOKEN`; the page itself and its
// files need none. The server ends with the run. So that pages know how it has ended, it stays until one that asked in the
// last three seconds has asked for `api/run` once more and then for nothing else, two seconds at the most.

const TOKEN = "pathway-token";

/** The server is there, and wants a token that it was not given. */
export class Locked extends Error {}

/** The server is not there, or does not say what it should. */
export class NoAnswer extends Error {
  /** @param status with which it answered, if it did */
  constructor(message, status = null) {
    super(message);
    this.status = status;
  }
}

/** The server is there, and does not know yet. */
export class NotYet extends NoAnswer {}

/** Takes the token out of the address of the page, so that it is neither shown nor kept in the browser's history. */
export function takeToken() {
  const address = new URL(location.href);
  const token = address.searchParams.get("token");
  if (token === null) return;
  setToken(token);
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}

/** The token for all further requests. */
export function setToken(token) {
  sessionStorage.setItem(TOKEN, token);
}

async function ask(path, read, patience) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = token === null ? {} : { Authorization: `Bearer ${token}` };
  try {
    const answer = await fetch(path, { headers, cache: "no-store", signal: AbortSignal.timeout(patience) });
    if (answer.status === 401) throw new Locked();
    if (answer.status === 503) throw new NotYet(`${path}: 503`, 503);
    if (answer.ok) return await read(answer);
    throw new NoAnswer(`${path}: ${answer.status}`, answer.status);
  } catch (error) {
    throw error instanceof Locked || error instanceof NoAnswer ? error : new NoAnswer(error.message);
  }
}

/** What the server answers to a request below `api/`. */
export const get = (path) => ask(`api/${path}`, (answer) => answer.json(), 5000);

export const run = () => get("run");
export const now = () => get("now");
export const times = (after) => get(`times?after=${after}`);
export const moments = (at) => get(`moments?at=${at}`);
export const past = (operator, at) => get(`past?operator=${operator}&at=${at}`);
export const samples = (after) => get(`history?after=${after}`);
/** Large plans take a while to be drawn. */
export const plan = (format, stage) => ask(`explain?format=${format}&plan=${stage}`, (answer) => answer.text(), 60_000);
export const errors = () => get("errors");
export const deadLetters = () => get("dead_letters");
export const log = (after) => get(`log?after=${after}`);
