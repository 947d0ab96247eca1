// The pictures of a grid in parts, as the server sends them. The shape of each picture stays in
// memory. The markup of distant parts is dropped and requested again.

import { ask, NoAnswer } from "clipsite/base/ask";

const KEPT = 60;
const USUAL_RATIO = 1.5;
// What a part keeps of each picture.
const COLUMNS = ["ratios", "ids", "sections", "markup"];

export class Chunk {
  /** `address` is for requesting the part again. With null, its markup is never dropped. */
  constructor(address, ratios) {
    this.address = address;
    this.ratios = ratios;
    this.first = null;
    this.ids = null;
    this.sections = null;
    this.markup = null;
    /** How many pictures the server has between the beginning of this part and that of the next. */
    this.size = ratios.length;
  }

  get count() {
    return this.ratios.length;
  }

  /** Fill the part with `li.tile` elements. */
  take(tiles) {
    this.ratios = tiles.map(ratioOf);
    this.size ||= tiles.length;
    this.ids = tiles.map((tile) => tile.dataset.id);
    this.sections = tiles.map((tile) => tile.dataset.section ?? null);
    this.markup = tiles.map((tile) => tile.outerHTML);
    this.first = this.ids[0] ?? null;
    keep(this);
  }

  /** Insert `tiles` behind picture `id`. They are lost when the part is requested again. */
  insert(id, tiles) {
    const at = this.ids.indexOf(id) + 1;
    this.ratios.splice(at, 0, ...tiles.map(ratioOf));
    this.ids.splice(at, 0, ...tiles.map((tile) => tile.dataset.id));
    this.sections.splice(at, 0, ...tiles.map(() => this.sections[at - 1]));
    this.markup?.splice(at, 0, ...tiles.map((tile) => tile.outerHTML));
  }

  /** Keep only the pictures with `wanted(id)`. Returns a function that puts the others back. */
  narrow(wanted) {
    if (!this.ids || this.ids.every(wanted)) return () => {};
    const { ids, ratios, sections, markup } = this;
    const left = ids.flatMap((id, index) => (wanted(id) ? [index] : []));
    for (const name of COLUMNS) this[name] &&= left.map((index) => this[name][index]);
    this.first = this.ids[0] ?? null;
    this.size -= ids.length - left.length;
    return () => this.#putBack({ ids, ratios, sections, markup }, wanted);
  }

  /** Put the pictures that `narrow` took out behind those that were before them. */
  #putBack(former, wanted) {
    this.size += former.ids.filter((id) => !wanted(id)).length;
    if (!this.ids) return; // the part is requested again
    if (!former.markup && this.address) this.markup = null;
    former.ids.forEach((id, index) => {
      if (wanted(id) || this.ids.includes(id)) return;
      const before = former.ids.slice(0, index).findLast((one) => this.ids.includes(one));
      const at = this.ids.indexOf(before) + 1;
      for (const name of COLUMNS) this[name]?.splice(at, 0, former[name]?.[index]);
    });
    this.first = this.ids[0] ?? null;
  }
}

const ratioOf = (tile) => Number(tile.style.getPropertyValue("--ratio")) || USUAL_RATIO;

/** The parts of one grid, in order. */
export class Chunks {
  constructor() {
    this.list = [];
    /** The address of a part without the number of its first picture, if the server counts. */
    this.counted = null;
  }

  get count() {
    return this.list.reduce((sum, chunk) => sum + chunk.count, 0);
  }

  get ids() {
    return this.list.flatMap((chunk) => chunk.ids ?? []);
  }

  get ratios() {
    return this.list.flatMap((chunk) => chunk.ratios);
  }

  /** The section of each picture, or null if it has none or is not loaded yet. */
  get sections() {
    return this.list.flatMap((chunk) => chunk.sections ?? new Array(chunk.count).fill(null));
  }

  add(address, ratios = []) {
    const chunk = new Chunk(address, ratios);
    this.list.push(chunk);
    return chunk;
  }

  /** Add parts for those of a known number of pictures that are not loaded yet. */
  expect({ parts, count, partSize, ratio }) {
    this.counted = parts;
    for (let start = this.count; start < count; start += Number(partSize)) {
      const size = Math.min(partSize, count - start);
      this.add(`${parts}${start}`, new Array(size).fill(Number(ratio) || USUAL_RATIO));
    }
  }

  /** Keep only the pictures with `wanted(id)`. Returns a function that puts the others back. */
  narrow(wanted) {
    const backs = this.list.map((chunk) => chunk.narrow(wanted));
    this.#number();
    return () => {
      backs.forEach((back) => back());
      this.#number();
    };
  }

  /** Name the parts by the numbers that their first pictures have now. */
  #number() {
    if (this.counted === null) return;
    let start = 0;
    for (const chunk of this.list) {
      if (chunk.address) chunk.address = `${this.counted}${start}`;
      start += chunk.size;
    }
  }

  /** Return {chunk, start, offset} of picture `index`. */
  locate(index) {
    let start = 0;
    for (const chunk of this.list) {
      if (index < start + chunk.count) return { chunk, start, offset: index - start };
      start += chunk.count;
    }
    return null;
  }

  /** Return the number of a loaded picture, or -1. */
  indexOf(id) {
    let start = 0;
    for (const chunk of this.list) {
      const at = chunk.ids?.indexOf(id) ?? -1;
      if (at >= 0) return start + at;
      start += chunk.count;
    }
    return -1;
  }

  startOf(chunk) {
    let start = 0;
    for (const one of this.list) {
      if (one === chunk) break;
      start += one.count;
    }
    return start;
  }

  /** Return the parts with pictures from `start` to before `end`. */
  between(start, end) {
    const found = [];
    let first = 0;
    for (const chunk of this.list) {
      if (first < end && first + chunk.count > start) found.push(chunk);
      first += chunk.count;
    }
    return found;
  }

  /** Fill a part. The next part may begin earlier than at its first load. */
  fill(chunk, tiles) {
    const after = this.list[this.list.indexOf(chunk) + 1];
    const seam = after?.first ? tiles.findIndex((tile) => tile.dataset.id === after.first) : -1;
    if (seam >= 0) chunk.take(tiles.slice(0, seam));
    // Without the pictures that were taken out, an answer reaches into the next part.
    else chunk.take(this.counted !== null && after ? tiles.slice(0, chunk.size) : tiles);
  }
}

/** Parts with their markup in memory, the least recently used first. */
const kept = new Set();

/** Mark a part as used. The least recently used ones lose their markup. */
export function keep(chunk) {
  kept.delete(chunk);
  kept.add(chunk);
  for (const oldest of kept) {
    if (kept.size <= KEPT) break;
    kept.delete(oldest);
    if (oldest.address) oldest.markup = null;
  }
}

/**
 * Fetch a part. Resolves to {tiles, more, folds}, where `more` is the address of the next part, and
 * `folds` tells whether a button leads to it. Rejects with NoAnswer if the server does not answer
 * with pictures.
 */
export async function fetchTiles(address, signal) {
  const answer = await ask(address, { headers: { "HX-Request": "true" }, signal });
  const page = answer.headers.get("HX-Redirect"); // signed out meanwhile
  if (page) location.assign(page);
  if (!answer.ok || page) throw new NoAnswer(`${answer.status} ${address}`);
  const holder = document.createElement("template");
  holder.innerHTML = answer.text;
  const loader = /** @type {HTMLElement | null} */ (holder.content.querySelector("[data-loader]"));
  return {
    tiles: [...holder.content.querySelectorAll("li.tile")],
    more: loader?.getAttribute("hx-get") ?? null,
    folds: "folds" in (loader?.dataset ?? {}),
  };
}
