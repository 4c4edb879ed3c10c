// Where operators stand: rows flow downwards, groups are around their operators.

import { Graph, layout as place } from "../vendor/dagre.esm.js";
import { groups } from "./groups.js";

export const CARD = { width: 216, height: 64 };

/** Around what is in a group, and above it for its title. */
const AROUND = 10;
const TITLE = 24;

/** From this number of operators on a faster way of giving them rows is taken, which makes longer lines. */
const MANY = 250;

/**
 * Positions are those of the middle of a node, and of the upper left corner of a group.
 * @param nodes those of the outline
 */
export function layout(nodes) {
  const graph = new Graph({ compound: true });
  const ranker = nodes.length < MANY ? "network-simplex" : "tight-tree";
  graph.setGraph({ rankdir: "TB", nodesep: 28, edgesep: 12, ranksep: 44, marginx: 24, marginy: 24, ranker });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) graph.setNode(String(node.id), { ...CARD });
  const all = groups(nodes);
  for (const group of all) graph.setNode(group.id, {});
  // Inner groups come later: a node is a child of the innermost.
  for (const group of all) {
    if (group.parent !== null) graph.setParent(group.id, group.parent);
    for (const id of group.nodes) graph.setParent(String(id), group.id);
  }
  for (const node of nodes) {
    for (const input of node.inputs) graph.setEdge(String(input), String(node.id));
  }
  place(graph);
  const places = new Map(nodes.map((node) => {
    const { x, y } = graph.node(String(node.id));
    return [node.id, { x, y }];
  }));
  const lines = graph.edges().map(({ v, w }) => {
    const { points } = graph.edge(v, w);
    return { from: Number(v), to: Number(w), path: curve(points) };
  });
  return { places, lines, ...boxes(all, places) };
}

/** The boxes of groups, and of all: inner ones first, since outer ones are around them. */
function boxes(all, places) {
  const boxes = new Map();
  for (const group of [...all].reverse()) {
    const inside = group.nodes.map((id) => around(places.get(id)));
    inside.push(...all.filter((other) => other.parent === group.id).map((other) => boxes.get(other.id)));
    const [left, top, right, bottom] = union(inside);
    boxes.set(group.id, [left - AROUND, top - AROUND - TITLE + 4, right + AROUND, bottom + AROUND]);
  }
  const frames = all.map((group) => {
    const [left, top, right, bottom] = boxes.get(group.id);
    return { ...group, x: left, y: top, width: right - left, height: bottom - top };
  });
  const [left, top, right, bottom] = union([...places.values()].map(around).concat([...boxes.values()]));
  return { frames, box: { x: left, y: top, width: right - left, height: bottom - top } };
}

function around({ x, y }) {
  const [wide, high] = [CARD.width / 2, CARD.height / 2];
  return [x - wide, y - high, x + wide, y + high];
}

function union(boxes) {
  const most = (place, of) => boxes.reduce((found, box) => of(found, box[place]), boxes[0]?.[place] ?? 0);
  return [most(0, Math.min), most(1, Math.min), most(2, Math.max), most(3, Math.max)];
}

function curve(points) {
  const [first, ...others] = points;
  let { x, y } = first;
  let path = `M${x},${y}`;
  for (const next of others) {
    const middle = (y + next.y) / 2;
    path += `C${x},${middle} ${next.x},${middle} ${next.x},${next.y}`;
    ({ x, y } = next);
  }
  return path;
}
