// Which operators belong together for people: those that one call of a function made, and inside of it those of one line.
//
// A function that is called twice makes two groups: operators are together only if they are connected.

/**
 * The groups of these nodes, outer ones first; a group of one line that is one node is none.
 * @returns {{id: string, kind: string, title: string, parent: string|null, nodes: number[]}[]}
 */
export function groups(nodes) {
  const found = [];
  const outer = new Map();
  const inFunction = nodes.filter((node) => node.line && node.line.function !== "<module>");
  for (const members of connected(inFunction, (node) => `${node.line.file}\n${node.line.function}`)) {
    const { function: name } = members[0].line;
    const id = `function ${members[0].id}`;
    found.push({ id, kind: "function", title: `${name}()`, parent: null, nodes: members.map((node) => node.id) });
    for (const node of members) outer.set(node.id, id);
  }
  const inLine = nodes.filter((node) => node.line);
  const key = (node) => `${outer.get(node.id)}\n${node.line.file}\n${node.line.line}`;
  for (const members of connected(inLine, key)) {
    if (members.length < 2) continue;
    const { source } = members[0].line;
    const parent = outer.get(members[0].id) ?? null;
    const ids = members.map((node) => node.id);
    const isAll = found.some((group) => group.id === parent && group.nodes.length === ids.length);
    if (isAll) continue;
    found.push({ id: `line ${members[0].id}`, kind: "line", title: source.trim(), parent, nodes: ids });
  }
  return found;
}

/** The nodes with equal keys that are connected with each other. */
function connected(nodes, key) {
  const keys = new Map(nodes.map((node) => [node.id, key(node)]));
  const leader = new Map(nodes.map((node) => [node.id, node.id]));
  const lead = (id) => {
    while (leader.get(id) !== id) id = leader.get(id);
    return id;
  };
  for (const node of nodes) {
    for (const input of node.inputs) {
      if (keys.get(input) === keys.get(node.id)) leader.set(lead(node.id), lead(input));
    }
  }
  const sets = new Map();
  for (const node of nodes) {
    const id = lead(node.id);
    if (!sets.has(id)) sets.set(id, []);
    sets.get(id).push(node);
  }
  return sets.values();
}
