// Thumbnails at their points. Each zoom step divides the map into cells. A cell shows its first
// point as a thumbnail inside the cell. So no thumbnail covers another one, the choice does not
// change while the map moves, and visible thumbnails stay while the user zooms in.

const GAP = 1.22; // the size of a cell / the size of a thumbnail
const RIM = 0.03; // the free edge of a cell / the size of a thumbnail
const STEPS = 2; // zoom steps for each doubling
const KEPT = 400; // bitmaps in memory
const AT_ONCE = 6;
const WIDTH = 180; // pixels of a bitmap
// Thumbnails appear if at least this share of all points has one, or from this zoom on.
const SHARE = 0.07;
const CLOSE = 2.8;

export class Thumbs {
  /** `addressOf(id)` returns a thumbnail's address. `loaded()` is called when a new one can be
   * drawn. */
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

  /** Return [{index, id, left, top, size, bitmap}, …] for the view, in CSS pixels. Empty if the
   *  zoom is too small. */
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

  /** Return the first point of each cell. `side` is the size of a cell on the map. */
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

  /** Load the visible thumbnails, those in the middle first. Others are no longer wanted. */
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
      this.bitmaps.delete(id); // a network problem: it is tried again when it is visible again
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
