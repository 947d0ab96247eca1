// The categories of a label set on the points of the map, unpacked from the server's format
// (gallery/explore/label_colours.py).

const RECORD = 10; // bytes: the beginning of an id, and the number of a category
const COLOURS = 8; // categories with a colour of their own; all others are grey
// How visible a point is: of a category that is looked at or not hidden, without a category, and
// hidden or not looked at.
const CLEAR = 255;
const UNNAMED = 110;
const FAINT = 26;

export class Categories {
  constructor(buffer = new ArrayBuffer(0)) {
    const data = new DataView(buffer);
    const length = buffer.byteLength ? data.getUint32(0) : 0;
    /** @type {string[]} */
    this.names = length ? JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))) : [];
    this.records = new DataView(buffer, Math.min(4 + length, buffer.byteLength));
    /** The number of each point's category, from 1; 0 without one. */
    this.numbers = new Uint16Array();
    /** Points by the number of their category. */
    this.counts = new Uint32Array(this.names.length + 1);
    /** The place of each category by its points: the first eight have a colour. */
    this.places = new Map();
    this.hidden = new Set();
    this.looked = -1;
  }

  /** Find the category of each of `points`. Both are in the order of ids. */
  match(points) {
    const { records } = this;
    const count = Math.floor(records.byteLength / RECORD);
    const ids = new DataView(points.bytes.buffer);
    this.numbers = new Uint16Array(points.count);
    this.counts.fill(0);
    for (let index = 0, at = 0; index < points.count; index += 1) {
      const place = index * points.record + points.record - 16;
      const [high, low] = [ids.getUint32(place), ids.getUint32(place + 4)];
      while (at < count && isBefore(records, at * RECORD, high, low)) at += 1;
      const here = at * RECORD;
      if (at < count && records.getUint32(here) === high && records.getUint32(here + 4) === low) {
        this.numbers[index] = records.getUint16(here + 8);
      }
      this.counts[this.numbers[index]] += 1;
    }
    this.places = new Map(this.ranked().map((number, place) => [number, place]));
  }

  /** Return the numbers of the categories with points, those with most points first. */
  ranked() {
    return [...this.names.keys()]
      .map((place) => place + 1)
      .filter((number) => this.counts[number])
      .sort((one, other) => this.counts[other] - this.counts[one] || one - other);
  }

  /** Return which colour a category has: 1 to 8, or "rest". */
  series(number) {
    const place = this.places.get(number) ?? COLOURS;
    return place < COLOURS ? place + 1 : "rest";
  }

  /** Whether a point steps back: its category is hidden, or another one is looked at. */
  isFaint(index) {
    const number = this.numbers[index];
    return this.looked >= 0 ? number !== this.looked : this.hidden.has(number);
  }

  /** Return the colours of all points for `Dots.paint`. `rgb` returns [red, green, blue] for a
   * series; points that are not in `lit` (a set of indices, or null for all) are faint. */
  table(lit, rgb) {
    const known = new Map();
    const table = new Uint32Array(this.numbers.length);
    for (let index = 0; index < table.length; index += 1) {
      const number = this.numbers[index];
      const series = this.series(number);
      if (!known.has(series)) known.set(series, rgb(series));
      const [red, green, blue] = known.get(series);
      const faint = this.isFaint(index) || (lit && !lit.has(index));
      const alpha = faint ? FAINT : number || this.looked === 0 ? CLEAR : UNNAMED;
      table[index] = ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    }
    return table;
  }
}

function isBefore(records, at, high, low) {
  const first = records.getUint32(at);
  return first < high || (first === high && records.getUint32(at + 4) < low);
}
