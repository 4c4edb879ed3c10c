// Elements of the page. Whatever comes from the run becomes text, never markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** An element; attributes that are functions listen to the event of that name; children are elements or text. */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for drawings. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** Sets a text that may be there already: what does not change is not drawn again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Some buttons of which one is pressed. `choices` are pairs of a value and a text. */
export function segments(label, choices, chosen, choose) {
  const buttons = choices.map(([value, text]) =>
    el("button", { type: "button", "aria-pressed": String(value === chosen), click: () => press(value) }, text));
  function press(value) {
    choices.forEach(([own], place) => buttons[place].setAttribute("aria-pressed", String(own === value)));
    choose(value);
  }
  return el("div", { class: "segments", role: "group", "aria-label": label }, buttons);
}
