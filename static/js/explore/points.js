// The points of the map in arrays, unpacked from the server's format (gallery/explore/points.py).
// Their order is fixed and pseudo-random: the first points of any area are a fair sample of it.

const RECORD = 32;
// The cells on each side of the spatial index.
const CELLS = 128;

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const cellOf = (share) => Math.min(CELLS - 1, Math.max(0, Math.floor(share * CELLS)));

export class Points {
  constructor(buffer = new ArrayBuffer(0)) {
    const data = new DataView(buffer);
    this.bytes = new Uint8Array(buffer);
    this.record = RECORD; // bytes of a point, the last 16 of which are its id
    this.count = Math.floor(buffer.byteLength / RECORD);
    this.x = new Float32Array(this.count);
    this.y = new Float32Array(this.count);
    this.region = new Int32Array(this.count);
    // 0xRRGGBB, or -1 if the colour is unknown.
    this.colour = new Int32Array(this.count);
    for (let at = 0, index = 0; index < this.count; at += RECORD, index += 1) {
      this.x[index] = data.getFloat32(at);
      this.y[index] = data.getFloat32(at + 4);
      this.region[index] = data.getInt32(at + 8);
      const colour = data.getUint32(at + 12);
      this.colour[index] = colour & 255 ? colour >>> 8 : -1;
    }
    /** id -> index, or null before the first use.
     * @type {Map<string, number> | null} */
    this.known = null;
    this.arrange();
  }

  /** Sort the points by cell, and note where each cell begins. */
  arrange() {
    const starts = new Uint32Array(CELLS * CELLS + 1);
    const cells = new Uint16Array(this.count);
    for (let index = 0; index < this.count; index += 1) {
      cells[index] = cellOf(this.y[index]) * CELLS + cellOf(this.x[index]);
      starts[cells[index] + 1] += 1;
    }
    for (let cell = 0; cell < CELLS * CELLS; cell += 1) starts[cell + 1] += starts[cell];
    const next = starts.slice();
    this.order = new Uint32Array(this.count);
    for (let index = 0; index < this.count; index += 1) this.order[next[cells[index]]++] = index;
    this.starts = starts;
  }

  /** The smallest box that contains all points. */
  get bounds() {
    const box = { left: 1, top: 1, right: 0, bottom: 0 };
    for (let index = 0; index < this.count; index += 1) {
      box.left = Math.min(box.left, this.x[index]);
      box.right = Math.max(box.right, this.x[index]);
      box.top = Math.min(box.top, this.y[index]);
      box.bottom = Math.max(box.bottom, this.y[index]);
    }
    return this.count ? box : { left: 0, top: 0, right: 1, bottom: 1 };
  }

  id(index) {
    let text = "";
    for (let byte = 0; byte < 16; byte += 1) {
      if (byte === 4 || byte === 6 || byte === 8 || byte === 10) text += "-";
      text += hex[this.bytes[index * RECORD + 16 + byte]];
    }
    return text;
  }

  /** id -> index, built on first use. */
  get indices() {
    this.known ??= new Map(Array.from({ length: this.count }, (_, index) => [this.id(index), index]));
    return this.known;
  }

  /** Call `visit(index)` for all points in a box and some just outside it. */
  within({ left, top, right, bottom }, visit) {
    const [first, last] = [cellOf(left), cellOf(right)];
    for (let row = cellOf(top); row <= cellOf(bottom); row += 1) {
      const end = this.starts[row * CELLS + last + 1];
      for (let at = this.starts[row * CELLS + first]; at < end; at += 1) visit(this.order[at]);
    }
  }

  /** Return the distance from (x, y) to the second nearest point, or Infinity. At a picture, this
   * is the distance to its neighbour. */
  neighbour(x, y) {
    let [least, next] = [Infinity, Infinity];
    for (let index = 0; index < this.count; index += 1) {
      const distance = Math.hypot(this.x[index] - x, this.y[index] - y);
      if (distance < least) [least, next] = [distance, least];
      else if (distance < next) next = distance;
    }
    return next;
  }

  /** Return the index of the nearest point to (x, y) within `reach`, or -1. */
  nearest(x, y, reach) {
    let found = -1;
    let least = reach;
    this.within({ left: x - reach, top: y - reach, right: x + reach, bottom: y + reach }, (index) => {
      const distance = Math.hypot(this.x[index] - x, this.y[index] - y);
      if (distance > least) return;
      least = distance;
      found = index;
    });
    return found;
  }
}
