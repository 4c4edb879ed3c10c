// What is drawn as one card: an operator, or all operators that the same line of the program made.
//
// A program of hundreds of operators calls the same functions again and again. By lines it is as long as its text.

/** From this number of operators on a plan is shown by lines, unless a person says otherwise. */
export const MANY = 60;

/** A card; those of one operator have its number. */
class Card {
  constructor(members) {
    const [first] = members;
    this.members = members;
    this.id = first.id;
    this.kind = first.kind;
    this.line = first.line;
    this.label = first.label;
    this.name = members.length === 1 ? first.name : null;
    this.title = members.length === 1 ? first.title : `${first.label} × ${members.length}`;
    this.inputs = [];
    this.readers = [];
  }

  /** The numbers of all of it: sums of rows, and the worst of what has no sum. Null before there are any. */
  get now() {
    const all = this.members.filter((member) => member.now).map((member) => member.now);
    if (all.length === 0) return null;
    const sum = (key) => all.reduce((total, now) => (now[key] === null ? total : (total ?? 0) + now[key]), null);
    const most = (key) => all.reduce((found, now) => (now[key] === null ? found : Math.max(found ?? 0, now[key])), null);
    return {
      rowsOut: sum("rowsOut"),
      inRate: sum("inRate"),
      outRate: sum("outRate"),
      files: sum("files"),
      busy: most("busy"),
      latency: most("latency"),
      done: all.every((now) => now.frontier.state === "done"),
    };
  }

  get errors() {
    return this.members.reduce((total, member) => total + member.errors, 0);
  }
}

/**
 * The cards of these operators, with what they read.
 * @param byLine one for each line and what it does, not for each operator
 */
export function cards(operators, byLine) {
  const sets = new Map();
  for (const operator of operators) {
    const { line, label, kind, id } = operator;
    const key = byLine && line ? [line.file, line.line, line.function, label, kind].join("\n") : id;
    if (!sets.has(key)) sets.set(key, []);
    sets.get(key).push(operator);
  }
  const all = [...sets.values()].map((members) => new Card(members));
  const of = new Map(all.flatMap((card) => card.members.map((member) => [member.id, card])));
  for (const card of all) {
    const read = new Set(card.members.flatMap((member) => member.inputs).map((id) => of.get(id)?.id));
    card.inputs = [...read].filter((id) => id !== undefined && id !== card.id);
    for (const id of card.inputs) of.get(id).readers.push(card.id);
  }
  return { all, of };
}
