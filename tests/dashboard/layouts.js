// Lays out random plans, and tells what is wrong with them. Run in the page by test_layout.py.

const { cards } = await import(`${location.origin}/graph/cards.js`);
const { CARD, layout } = await import(`${location.origin}/graph/layout.js`);

let seed = 1;
const below = (number) => {
  seed = (seed * 1103515245 + 12345) & 0x7fffffff;
  return (seed >> 8) % number;
};

function plan() {
  const [functions, lines] = [1 + below(5), 1 + below(12)];
  return Array.from({ length: 1 + below(40) }, (_, place) => {
    const inputs = place ? Array.from({ length: below(4) }, () => 1 + below(place)) : [];
    const name = below(3) ? `f${below(functions)}` : "<module>";
    const line = below(8) ? { file: "a.py", line: 1 + below(lines), function: name, source: "x = y" } : null;
    const label = ["select", "join", "filter"][below(3)];
    return { id: place + 1, kind: "operator", label, name: null, inputs: [...new Set(inputs)], line };
  });
}

const wrong = [];
for (let number = 0; number < 300; number += 1) {
  const nodes = plan();
  for (const byLine of [false, true]) {
    const { places, frames } = layout(cards(nodes, byLine).all);
    const all = [...places];
    const meet = ([, one], [, other]) =>
      !(Math.abs(one.x - other.x) >= CARD.width || Math.abs(one.y - other.y) >= CARD.height);
    all.forEach((one, place) => all.slice(place + 1).forEach((other) => {
      if (meet(one, other)) wrong.push(`plan ${number}: cards ${one[0]} and ${other[0]} are on each other`);
    }));
    for (const frame of frames) {
      for (const [id, { x, y }] of all) {
        const isInside = x > frame.x && x < frame.x + frame.width && y > frame.y && y < frame.y + frame.height;
        if (isInside !== frame.nodes.includes(id)) wrong.push(`plan ${number}: card ${id} and group ${frame.title}`);
      }
    }
  }
}
return wrong;
