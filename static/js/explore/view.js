// The visible part of the map: its middle (x, y in [0, 1]) and its zoom (1 is the whole map). The
// address has it as "x,y,span", so that a return shows the same part. The span is the part of the
// map along the shorter edge of the view.

const CLOSEST = 400;
// The limit of zooming by hand: the distance to the next neighbour, as a share of the view's
// shorter edge. It leaves room for two thumbnails side by side.
const NEIGHBOUR = 0.4;
// The share of the view that the whole map fills.
const ROOM = 0.88;
// The least size of the whole map, if all points lie close together.
const LEAST = 0.05;
const GLIDE = 350; // ms
const AT = "at";

const still = matchMedia("(prefers-reduced-motion: reduce)");
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export class View {
  /** `changed()` is called after each change of the view. `neighbour(x, y)` returns the distance to
   * the second nearest point. */
  constructor(changed, neighbour) {
    this.changed = changed;
    this.neighbour = neighbour;
    this.width = this.height = 1;
    this.x = this.y = 0.5;
    this.zoom = 1;
    this.gliding = 0;
    this.noting = 0;
    // The bounds of all points.
    this.whole = { x: 0.5, y: 0.5, width: 1, height: 1 };
    this.begun = false;
  }

  /** Set the bounds of all points. The first call takes the view from the address. */
  enclose({ left, top, right, bottom }) {
    const span = this.span;
    this.whole = {
      x: (left + right) / 2,
      y: (top + bottom) / 2,
      width: Math.max(right - left, LEAST),
      height: Math.max(bottom - top, LEAST),
    };
    if (!this.begun) this.begin();
    else this.zoom = this.zoomFor(span);
    this.changed();
  }

  begin() {
    this.begun = true;
    const [x, y, span] = (new URL(location.href).searchParams.get(AT) ?? "").split(",").map(Number);
    const known = [x, y, span].every(Number.isFinite) && span > 0;
    this.x = known ? clamp(x, 0, 1) : this.whole.x;
    this.y = known ? clamp(y, 0, 1) : this.whole.y;
    this.zoom = known ? this.zoomFor(span) : 1;
  }

  resize(width, height) {
    const span = this.span;
    const whole = this.zoom <= 1.01;
    this.width = width;
    this.height = height;
    if (this.begun) this.zoom = whole ? 1 : this.zoomFor(span);
    this.changed();
  }

  /** The part of the map along the shorter edge of the view. */
  get span() {
    return Math.min(this.width, this.height) / this.scale;
  }

  zoomFor(span) {
    return clamp(Math.min(this.width, this.height) / (span * this.side), 1, CLOSEST);
  }

  /** CSS pixels of one unit of the map at zoom 1. */
  get side() {
    return Math.min(this.width / this.whole.width, this.height / this.whole.height) * ROOM;
  }

  /** CSS pixels of one unit of the map. */
  get scale() {
    return this.side * this.zoom;
  }

  toScreen(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  toMap(left, top) {
    return [(left - this.width / 2) / this.scale + this.x, (top - this.height / 2) / this.scale + this.y];
  }

  /** Return the visible part as {left, top, right, bottom}, with `margin` more pixels on each side.
   * */
  box(margin = 0) {
    const [left, top] = this.toMap(-margin, -margin);
    const [right, bottom] = this.toMap(this.width + margin, this.height + margin);
    return { left, top, right, bottom };
  }

  pan(x, y) {
    this.stop();
    this.move(this.x - x / this.scale, this.y - y / this.scale, this.zoom);
  }

  /** Zoom by `factor`. The point under (left, top) stays there. */
  zoomBy(factor, left = this.width / 2, top = this.height / 2) {
    this.stop();
    const [x, y] = this.toMap(left, top);
    const zoom = clamp(this.zoom * factor, 1, Math.max(this.closest(x, y), Math.min(this.zoom, CLOSEST)));
    const kept = this.zoom / zoom;
    this.move(x + (this.x - x) * kept, y + (this.y - y) * kept, zoom);
  }

  /** Return the largest zoom at (x, y) that still shows a neighbour. */
  closest(x, y) {
    const far = this.neighbour(x, y);
    const near = (NEIGHBOUR * Math.min(this.width, this.height)) / (far * this.side);
    return clamp(near, 1, CLOSEST);
  }

  /** Move the view smoothly, or at once if the user prefers reduced motion. */
  glide(x, y, zoom) {
    this.stop();
    const to = { x, y, zoom: clamp(zoom, 1, CLOSEST) };
    if (still.matches) return this.move(to.x, to.y, to.zoom);
    const from = { x: this.x, y: this.y, zoom: this.zoom };
    const begin = performance.now();
    const step = (now) => {
      const share = clamp((now - begin) / GLIDE, 0, 1);
      const eased = 1 - (1 - share) ** 3;
      const between = (name) => from[name] + (to[name] - from[name]) * eased;
      this.move(between("x"), between("y"), from.zoom * (to.zoom / from.zoom) ** eased);
      if (share < 1) this.gliding = requestAnimationFrame(step);
    };
    this.gliding = requestAnimationFrame(step);
  }

  showWhole() {
    this.glide(this.whole.x, this.whole.y, 1);
  }

  /** Show a region around (x, y). `spread` is its standard deviation. */
  showRegion({ x, y, spread }) {
    this.glide(x, y, this.zoomFor(Math.max(5 * spread, 0.02)));
  }

  /** Show all `places` ([x, y], …). */
  fit(places) {
    const sides = [0, 1].map((axis) => places.map((place) => place[axis]));
    const [[left, right], [top, bottom]] = sides.map((side) => [Math.min(...side), Math.max(...side)]);
    const size = Math.max(right - left, bottom - top, 0.02);
    this.glide((left + right) / 2, (top + bottom) / 2, this.zoomFor(size * 1.2));
  }

  move(x, y, zoom) {
    this.x = clamp(x, 0, 1);
    this.y = clamp(y, 0, 1);
    this.zoom = zoom;
    clearTimeout(this.noting);
    this.noting = setTimeout(() => this.note(), 200);
    this.changed();
  }

  stop() {
    cancelAnimationFrame(this.gliding);
  }

  note() {
    const address = new URL(location.href);
    const away = Math.abs(this.x - this.whole.x) + Math.abs(this.y - this.whole.y);
    if (this.zoom < 1.01 && away < 0.01) address.searchParams.delete(AT);
    else address.searchParams.set(AT, [this.x.toFixed(5), this.y.toFixed(5), this.span.toFixed(5)].join());
    history.replaceState(history.state, "", address);
  }
}
