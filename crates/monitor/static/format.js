// Numbers and times as people read them.

const exactly = new Intl.NumberFormat("en");

function scaled(number, base, units) {
  let place = 0;
  while (Math.abs(number) >= base && place < units.length - 1) {
    number /= base;
    place += 1;
  }
  const digits = place === 0 && Number.isInteger(number) ? 0 : Math.abs(number) < 9.95 ? 1 : 0;
  return [number.toFixed(digits).replace(/\.0$/, ""), units[place]];
}

/** What stands where nothing is known. */
export const NONE = "–";

const known = (write) => (number) => (number === null || number === undefined ? NONE : write(number));

/** 12,345 */
export const exact = known((number) => exactly.format(number));

/** 12k */
export const count = known((number) => scaled(number, 1000, ["", "k", "M", "G", "T"]).join(""));

/** 12 MB */
export const bytes = known((number) => scaled(number, 1000, ["B", "kB", "MB", "GB", "TB"]).join(" "));

/** 12 ms, 3.4 s, 5 min, 2.5 h */
export const duration = known((ms) => {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 9_950 ? 1 : 0)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
});

/** 34 %: the share of something. */
export const percent = known((share) => {
  const hundredths = share * 100;
  return `${hundredths.toFixed(hundredths > 0 && hundredths < 9.95 ? 1 : 0)} %`;
});

/** 12 MB of 1.2 GB: how far a source is. */
export const readTo = known(({ done, all, unit }) =>
  (unit === "bytes" ? `${bytes(done)} of ${bytes(all)}` : `${exact(done)} of ${exact(all)} rows`));

/** 0.8: cores in use. */
export const cores = known((number) => number.toFixed(2));

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const SHORT_DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** 14:05:59 */
export const clock = known((time) => CLOCK.format(time));

/** 3 Oct 2026, 14:05:59 */
export const moment = known((time) => `${DAY.format(time)}, ${CLOCK.format(time)}`);

/** 3 Oct 14:05 */
export const dayAndTime = known((time) => `${SHORT_DAY.format(time)} ${CLOCK.format(time).slice(0, 5)}`);

/** 1 h 02 min 03 s: how long something has been going on. */
export function elapsed(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number) => String(number).padStart(2, "0");
  return h ? `${h} h ${two(m)} min` : m ? `${m} min ${two(s)} s` : `${s} s`;
}

/** flights.py:12, without the folder. */
export function place(line) {
  return line ? `${line.file.split(/[\\/]/).pop()}:${line.line}` : "";
}
