// Thumbnails at their points. The map is laid out in cells for each step of the zoom;
// of each cell the first point is shown, within the cell: so none covers another, the
// choice does not change while the map is moved, and what is seen stays while it is
// zoomed in.

const GAP = 1.22; // of a cell over a thumbnail
const RIM = 0.03; // of a thumbnail, free at the edges of its cell
const STEPS = 2; // of the zoom between twice as close
const KEPT = 400; // bitmaps in memory
const AT_ONCE = 6;
const WIDTH = 180; // pixels of a bitmap
// Thumbnails are shown from where so large a part of all points would have one, or so
// close anyway.
const SHARE = 0.07;
const CLOSE = 2.8;

export class Thumbs {
  /** `addressOf(id)`; `loaded()` is called when there is a new one to draw. */
  constructor(addressOf, loaded) {
    this.addressOf = addressOf;
    this.loaded = loaded;
    this.bitmaps = new Map(); // id -> ImageBitmap, or null while it loads or where there is none
    this.loading = 0;
    this.wanted = [];
    this.take(null);
  }

  take(points) {
    this.points = points;
    this.levels = new Map();
  }

  /** [{index, id, left, top, size, bitmap}, …] in CSS pixels, in the view; empty far out. */
  arrange(view, size) {
    const step = Math.floor(Math.log2(view.zoom) * STEPS + 1e-6);
    const closer = view.zoom / 2 ** (step / STEPS);
    const level = this.level(step, (size * GAP) / (view.side * 2 ** (step / STEPS)));
    if (level.share < SHARE && view.zoom < CLOSE) return [];
    const shown = size * closer;
    const cell = shown * GAP;
    const rim = shown * RIM;
    const found = [];
    const { left, top, right, bottom } = view.box(cell);
    const { side, winners } = level;
    for (let row = Math.floor(top / side); row <= bottom / side; row += 1) {
      for (let column = Math.floor(left / side); column <= right / side; column += 1) {
        const index = winners.get(row * level.columns + column);
        if (index === undefined || column < 0 || column >= level.columns) continue;
        const [x, y] = view.toScreen(this.points.x[index], this.points.y[index]);
        const [edgeX, edgeY] = view.toScreen(column * side, row * side);
        found.push({
          index,
          left: Math.min(Math.max(x - shown / 2, edgeX + rim), edgeX + cell - shown - rim),
          top: Math.min(Math.max(y - shown / 2, edgeY + rim), edgeY + cell - shown - rim),
          size: shown,
        });
      }
    }
    this.want(found, view);
    return found;
  }

  /** The first point of each cell of `side`. */
  level(step, side) {
    const key = `${step}:${side}`;
    if (!this.levels.has(key)) {
      if (this.levels.size > 8) this.levels.clear();
      const columns = Math.ceil(1 / side) + 1;
      const winners = new Map();
      const { count, x, y } = this.points;
      for (let index = 0; index < count; index += 1) {
        const cell = Math.floor(y[index] / side) * columns + Math.floor(x[index] / side);
        if (!winners.has(cell)) winners.set(cell, index);
      }
      this.levels.set(key, { side, columns, winners, share: winners.size / Math.max(count, 1) });
    }
    return this.levels.get(key);
  }

  /** Load what is shown, the middle first; what went out of sight meanwhile is not. */
  want(shown, view) {
    this.wanted = [];
    for (const thumb of shown) {
      thumb.id = this.points.id(thumb.index);
      thumb.bitmap = this.bitmaps.get(thumb.id);
      if (thumb.bitmap === undefined) this.wanted.push(thumb);
      else if (thumb.bitmap) this.touch(thumb.id, thumb.bitmap);
    }
    const far = ({ left, top }) => Math.hypot(left - view.width / 2, top - view.height / 2);
    this.wanted.sort((one, other) => far(other) - far(one));
    while (this.loading < AT_ONCE && this.wanted.length) this.load(this.wanted.pop().id);
  }

  async load(id) {
    this.loading += 1;
    this.bitmaps.set(id, null);
    try {
      const answer = await fetch(this.addressOf(id));
      if (answer.ok) {
        /** @type {ImageBitmapOptions} */
        const options = { resizeWidth: WIDTH, resizeQuality: "medium" };
        this.bitmaps.set(id, await createImageBitmap(await answer.blob(), options));
        this.forget();
      }
    } catch {
      this.bitmaps.delete(id); // the network: tried again when it is seen again
    }
    this.loading -= 1;
    this.loaded();
  }

  touch(id, bitmap) {
    this.bitmaps.delete(id);
    this.bitmaps.set(id, bitmap);
  }

  forget() {
    for (const [id, bitmap] of this.bitmaps) {
      if (this.bitmaps.size <= KEPT) break;
      bitmap?.close();
      this.bitmaps.delete(id);
    }
  }
}
