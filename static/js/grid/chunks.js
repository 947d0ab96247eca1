// The pictures of a grid in the parts that the server sent them in. Of each picture
// its shape is known at all times; the markup of parts that are far away is let go
// and asked for again.

import { ask, NoAnswer } from "clipsite/base/ask";

const KEPT = 60;
const USUAL_RATIO = 1.5;

export class Chunk {
  /** `address` is where the part can be asked for again; null keeps it for good. */
  constructor(address, ratios) {
    this.address = address;
    this.ratios = ratios;
    this.first = null;
    this.ids = null;
    this.sections = null;
    this.markup = null;
  }

  get count() {
    return this.ratios.length;
  }

  /** Fill with `li.tile` elements, as they came. */
  take(tiles) {
    this.ratios = tiles.map(ratioOf);
    this.ids = tiles.map((tile) => tile.dataset.id);
    this.sections = tiles.map((tile) => tile.dataset.section ?? null);
    this.markup = tiles.map((tile) => tile.outerHTML);
    this.first = this.ids[0] ?? null;
    keep(this);
  }

  /** Put `tiles` in behind picture `id`, until the part is asked for again. */
  insert(id, tiles) {
    const at = this.ids.indexOf(id) + 1;
    this.ratios.splice(at, 0, ...tiles.map(ratioOf));
    this.ids.splice(at, 0, ...tiles.map((tile) => tile.dataset.id));
    this.sections.splice(at, 0, ...tiles.map(() => this.sections[at - 1]));
    this.markup?.splice(at, 0, ...tiles.map((tile) => tile.outerHTML));
  }

  /** Keep the pictures for whose id `wanted` is true. */
  narrow(wanted) {
    if (!this.ids) return;
    const left = this.ids.flatMap((id, index) => (wanted(id) ? [index] : []));
    for (const name of ["ratios", "ids", "sections", "markup"]) {
      this[name] &&= left.map((index) => this[name][index]);
    }
    this.first = this.ids[0] ?? null;
  }
}

const ratioOf = (tile) => Number(tile.style.getPropertyValue("--ratio")) || USUAL_RATIO;

/** The parts of one grid, in order. */
export class Chunks {
  constructor() {
    this.list = [];
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

  /** The section of each picture, or null where it is in none or not known yet. */
  get sections() {
    return this.list.flatMap((chunk) => chunk.sections ?? new Array(chunk.count).fill(null));
  }

  add(address, ratios = []) {
    const chunk = new Chunk(address, ratios);
    this.list.push(chunk);
    return chunk;
  }

  /** Parts of a known number of pictures, none of which is here yet. */
  expect({ parts, count, partSize, ratio }) {
    for (let start = 0; start < count; start += Number(partSize)) {
      const size = Math.min(partSize, count - start);
      this.add(`${parts}${start}`, new Array(size).fill(Number(ratio) || USUAL_RATIO));
    }
  }

  /** {chunk, start, offset} of picture `index`. */
  locate(index) {
    let start = 0;
    for (const chunk of this.list) {
      if (index < start + chunk.count) return { chunk, start, offset: index - start };
      start += chunk.count;
    }
    return null;
  }

  startOf(chunk) {
    let start = 0;
    for (const one of this.list) {
      if (one === chunk) break;
      start += one.count;
    }
    return start;
  }

  /** The parts that hold any of the pictures from `start` to before `end`. */
  between(start, end) {
    const found = [];
    let first = 0;
    for (const chunk of this.list) {
      if (first < end && first + chunk.count > start) found.push(chunk);
      first += chunk.count;
    }
    return found;
  }

  /** A part has come. What lies behind may begin earlier than when it was first seen. */
  fill(chunk, tiles) {
    const after = this.list[this.list.indexOf(chunk) + 1];
    const seam = after?.first ? tiles.findIndex((tile) => tile.dataset.id === after.first) : -1;
    chunk.take(seam < 0 ? tiles : tiles.slice(0, seam));
  }
}

/** Parts whose markup is in memory, the one used last at the end. */
const kept = new Set();

/** Note that a part is in use; the ones unused for longest lose their markup. */
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
 * Ask for a part: {tiles, more}, where `more` is the address of the one after it.
 * Throws NoAnswer where the server does not answer with pictures.
 */
export async function fetchTiles(address, signal) {
  const answer = await ask(address, { headers: { "HX-Request": "true" }, signal });
  const page = answer.headers.get("HX-Redirect"); // signed out meanwhile
  if (page) location.assign(page);
  if (!answer.ok || page) throw new NoAnswer(`${answer.status} ${address}`);
  const holder = document.createElement("template");
  holder.innerHTML = answer.text;
  return {
    tiles: [...holder.content.querySelectorAll("li.tile")],
    more: holder.content.querySelector("[data-loader]")?.getAttribute("hx-get") ?? null,
  };
}
