// What part of a drawing is in sight: dragged, pinched, turned with the wheel.

const LEAST = 0.02;
const MOST = 2;

/** Pixels above the drawing that are left to the search, and below it, where there is no room beside it, to buttons. */
const ABOVE = 46;
const BELOW = 44;
const NARROW = 700;

/** Below these, cards show less: their names only, and then nothing but their colour. */
const FAR = 0.55;
const VERY_FAR = 0.2;

export class Viewport {
  #pointers = new Map();
  #scale = 1;
  #x = 0;
  #y = 0;
  #box = { x: 0, y: 0, width: 1, height: 1 };
  #fits = true;
  #way = 0;

  constructor(drawing, content) {
    Object.assign(this, { drawing, content });
    /** True if the pointer that was just let go had dragged something: that is no click. */
    this.moved = false;
    drawing.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    drawing.addEventListener("pointerdown", (event) => this.#down(event));
    drawing.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
      drawing.addEventListener(name, (event) => this.#pointers.delete(event.pointerId));
    }
    new ResizeObserver(() => this.#fits && this.fit()).observe(drawing);
  }

  /** Shows another drawing, all of it. */
  open(box) {
    this.#box = box;
    this.fit();
  }

  /** The drawing is another size now; what is in sight stays, unless all of it is. */
  resize(box) {
    this.#box = box;
    if (this.#fits) this.fit();
  }

  fit() {
    const { width, height: whole } = this.#size();
    if (!width || !whole) return;
    const height = whole - ABOVE - (width < NARROW ? BELOW : 0);
    const scale = Math.min((width - 32) / this.#box.width, (height - 20) / this.#box.height, 1.1);
    this.#scale = Math.max(LEAST, scale);
    this.#x = (width - this.#box.width * this.#scale) / 2 - this.#box.x * this.#scale;
    this.#y = ABOVE + (height - this.#box.height * this.#scale) / 2 - this.#box.y * this.#scale;
    this.#fits = true;
    this.#apply();
  }

  /** Zooms about the middle. */
  zoom(factor) {
    const { width, height } = this.#size();
    this.#zoomAt(width / 2, height / 2, factor);
  }

  /** Brings what is at a point into sight, large enough to be read. */
  reveal({ x, y }, { width, height }) {
    // It may never have been in sight before.
    if (this.#fits) this.fit();
    const sight = this.#size();
    if (!sight.width) return;
    const isNear = this.#scale >= FAR;
    const [left, top] = [(x - width / 2) * this.#scale + this.#x, (y - height / 2) * this.#scale + this.#y];
    const isInSight = left >= 0 && top >= 0
      && left + width * this.#scale <= sight.width && top + height * this.#scale <= sight.height;
    if (isNear && isInSight) return;
    this.#scale = Math.max(this.#scale, 0.85);
    this.#x = sight.width / 2 - x * this.#scale;
    this.#y = sight.height / 2 - y * this.#scale;
    this.#fits = false;
    this.#apply();
  }

  #size() {
    return this.drawing.getBoundingClientRect();
  }

  #wheel(event) {
    event.preventDefault();
    const box = this.#size();
    const lines = event.deltaMode === 1 ? 20 : 1;
    this.#zoomAt(event.clientX - box.x, event.clientY - box.y, Math.exp(-event.deltaY * lines * 0.0015));
  }

  #down(event) {
    this.#pointers.set(event.pointerId, [event.clientX, event.clientY]);
    this.moved = false;
    this.#way = 0;
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    const [across, down] = [now[0] - before[0], now[1] - before[1]];
    this.#way += Math.hypot(across, down);
    // A hand that clicks is not quite still.
    if (this.#way > 4 && !this.moved) {
      this.moved = true;
      this.drawing.setPointerCapture(event.pointerId);
    }
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.#pointers.set(event.pointerId, now);
    if (!this.moved) return;
    if (other) {
      const apart = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
      const box = this.#size();
      const middle = [(now[0] + other[0]) / 2 - box.x, (now[1] + other[1]) / 2 - box.y];
      this.#zoomAt(...middle, apart(now) / Math.max(1, apart(before)));
    } else {
      this.#x += across;
      this.#y += down;
      this.#fits = false;
      this.#apply();
    }
  }

  #zoomAt(x, y, factor) {
    const scale = Math.min(MOST, Math.max(LEAST, this.#scale * factor));
    const real = scale / this.#scale;
    this.#x = x - (x - this.#x) * real;
    this.#y = y - (y - this.#y) * real;
    this.#scale = scale;
    this.#fits = false;
    this.#apply();
  }

  #apply() {
    this.content.setAttribute("transform", `translate(${this.#x},${this.#y}) scale(${this.#scale})`);
    this.drawing.classList.toggle("far", this.#scale < FAR);
    this.drawing.classList.toggle("very-far", this.#scale < VERY_FAR);
  }
}
