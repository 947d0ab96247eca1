// One grid of any length. Only rows near the viewport have elements. The shapes of all others are
// known: the page has its full height, and nothing jumps when they appear. clipsite/grid/virtual
// creates and updates the grids.

import { Arrivals } from "clipsite/grid/arrivals";
import { Chunks } from "clipsite/grid/chunks";
import { columns, layOut, rowAt, rowOf } from "clipsite/grid/rows";
import {
  discard,
  elementOf,
  headingOf,
  linkOf,
  ownHeading,
  place,
  waitingTile,
} from "clipsite/grid/tile-elements";

// The height of the loader at the foot (see css/grid.css).
const FOOT = 72;

export class VirtualGrid {
  /** `holdStill(change, gone)` changes the layout without moving the visible part. `soon()` schedules
   *  another `show`. */
  constructor(list, { holdStill, soon }) {
    this.list = list;
    this.soon = soon;
    this.chunks = new Chunks();
    this.rows = [];
    this.height = 0;
    this.width = 0;
    this.shown = new Map(); // index -> li
    this.headings = new Map(); // index of a section's first picture -> the li above it
    this.newHeadings = []; // those that nobody has been told of
    this.arrivals = new Arrivals({
      arrived: (chunk, tiles) => holdStill(() => this.put(chunk, tiles)),
      failed: () => (this.range = null), // the next scroll requests it again
    });
    list.addEventListener("grid:removed", ({ detail }) => {
      const gone = new Set(detail.ids);
      holdStill(() => this.remove(gone), gone);
    });
    list.addEventListener("grid:inserted", ({ detail }) => {
      holdStill(() => this.#insert(detail.after, detail.tiles));
    });
  }

  /** Adopt the pictures of the page. `measure` comes first. */
  begin() {
    this.#adopt();
    if (this.list.dataset.parts) {
      this.chunks.expect(this.list.dataset);
      for (const [index, tile] of this.shown) this.#show(index, tile);
      this.arrange();
    }
    new MutationObserver(() => this.#adopt()).observe(this.list, { childList: true });
  }

  /** The element by which htmx loads the next part when it comes into view. */
  get loader() {
    return this.list.querySelector(":scope > [data-loader]");
  }

  /** Whether a button leads to the next part. */
  get folds() {
    return Boolean(this.loader && "folds" in this.loader.dataset);
  }

  get resized() {
    return this.rows.length > 0 && this.list.clientWidth !== this.width;
  }

  // --- The grid's pictures --------------------------------------------------------

  /** Add pictures that the page or htmx has put into the list. */
  #adopt() {
    // Remove the headings for pages without scripts. Otherwise `show` would move the pictures
    // around them in the document, and a moved element loses the focus.
    this.list.querySelectorAll(":scope > .still").forEach((heading) => heading.remove());
    const ours = new Set(this.shown.values());
    const found = [...this.list.querySelectorAll(":scope > li.tile:not(.waiting)")];
    const tiles = found.filter((tile) => !ours.has(tile));
    if (tiles.length) {
      const start = this.chunks.count;
      tiles.forEach((tile) => tile.classList.remove("htmx-added"));
      this.chunks.add(start ? this.next : null).take(tiles);
      tiles.forEach((tile, offset) => this.#show(start + offset, tile));
      this.arrange();
      this.#announce(tiles);
      this.soon();
    }
    this.next = this.loader?.getAttribute("hx-get") ?? null;
    this.#resize();
  }

  /** Fill a part with its tiles. */
  put(chunk, tiles) {
    const before = chunk.count;
    this.chunks.fill(chunk, tiles);
    if (chunk.count !== before) this.clear();
    this.arrange();
  }

  /** Take out the pictures of `gone`. Returns a function that puts them back. */
  remove(gone) {
    if (!this.chunks.ids.some((id) => gone.has(id))) return () => {};
    const back = this.chunks.narrow((id) => !gone.has(id));
    this.#redraw();
    return () => {
      back();
      this.#redraw();
    };
  }

  /** Insert `tiles` behind picture `id`. */
  #insert(id, tiles) {
    const known = new Set(this.chunks.ids);
    const fresh = tiles.filter((tile) => !known.has(tile.dataset.id));
    this.chunks.list.find((chunk) => chunk.ids?.includes(id))?.insert(id, fresh);
    this.#redraw();
  }

  #redraw() {
    this.clear();
    this.arrange();
  }

  clear() {
    this.shown.forEach(discard);
    this.shown.clear();
  }

  // --- Layout ---------------------------------------------------------------------

  /** Read the sizes of the list. This is separate from `arrange`: with many grids, all are read
   *  before the first one changes. Otherwise the browser would compute the layout for each grid. */
  measure() {
    const style = getComputedStyle(this.list);
    this.width = this.list.clientWidth;
    this.gap = parseFloat(style.columnGap) || 0;
    this.row = parseFloat(style.getPropertyValue("--row"));
    this.strip = parseFloat(style.getPropertyValue("--day-strip"));
  }

  /** Compute the layout anew. */
  arrange() {
    this.list.classList.add("virtual");
    this.ratios = this.chunks.ratios;
    this.sections = this.chunks.sections;
    const layout = layOut(this.ratios, {
      width: this.width || 1,
      row: this.row,
      strip: this.strip,
      gap: this.gap,
      startsSection: (index) => this.#startsSection(index),
      startsRow: (index) => this.#startsRow(index),
    });
    this.rows = layout.rows;
    this.height = layout.height;
    this.range = null;
    this.#resize();
    this.list.closest(".month")?.classList.toggle("empty", !this.rows.length);
    for (const [index, tile] of this.shown) place(tile, this.#boxOf(index));
    this.headings.forEach((heading) => heading.remove());
    this.headings.clear();
  }

  #resize() {
    const isKnown = this.rows.length > 0 || (this.chunks.list.length > 0 && !this.loader);
    if (isKnown) this.list.style.height = `${this.height + (this.loader ? FOOT : 0)}px`;
  }

  #boxOf(index) {
    const row = this.rows[rowOf(this.rows, index)];
    const column = columns(row, this.ratios, this.gap)[index - row.first];
    return { top: row.top, height: row.height, ...column };
  }

  #startsSection(index) {
    const section = this.sections[index];
    return Boolean(section) && (index === 0 || this.sections[index - 1] !== section);
  }

  /** Whether a picture begins a row. Days share rows; other sections begin a new one. */
  #startsRow(index) {
    return this.#startsSection(index) && Boolean(ownHeading(this.sections[index]));
  }

  /** Return the top of a picture's row in the viewport, including its strip. */
  topOf(chunk, offset) {
    const index = Math.min(this.chunks.startOf(chunk) + offset, this.ratios.length - 1);
    const row = this.rows[rowOf(this.rows, index)];
    return this.list.getBoundingClientRect().top + (row ? row.top - row.strip : 0);
  }

  indexOf(tile) {
    for (const [index, shown] of this.shown) if (shown === tile) return index;
    return -1;
  }

  // --- Elements in the document ---------------------------------------------------

  /** Show the rows between `top` and `bottom`, in pixels of the list. Drop the others. */
  show(top, bottom) {
    if (!this.rows.length) return;
    const near = bottom >= 0 && top <= this.height;
    const first = this.rows[near ? rowAt(this.rows, top) : 0];
    const last = this.rows[near ? rowAt(this.rows, bottom) : 0];
    const [start, end] = near ? [first.first, last.end] : [0, 0];
    const range = `${start} ${end}`;
    if (range === this.range) return;
    this.range = range;
    this.#drop(start, end);
    this.arrivals.want(this.chunks.between(start, end));
    this.#announce(this.#fill(start, end));
  }

  #drop(start, end) {
    const focused = document.activeElement;
    for (const [index, tile] of this.shown) {
      if (index >= start && index < end) continue;
      // The focused picture keeps its element, however far the page is scrolled.
      if (tile.contains(focused)) continue;
      discard(tile);
      this.shown.delete(index);
    }
    for (const [index, heading] of this.headings) {
      if (index >= start && index < end) continue;
      heading.remove();
      this.headings.delete(index);
    }
  }

  /** Insert missing elements from the last to the first. Returns the new tiles. */
  #fill(start, end) {
    const added = [];
    let next = this.#elementFrom(end);
    let part = end > start ? this.chunks.locate(end - 1) : null;
    for (let index = end - 1; index >= start; index -= 1) {
      if (index < part.start) part = this.chunks.locate(index);
      const markup = part.chunk.markup?.[index - part.start];
      let tile = this.shown.get(index);
      if (!tile || (markup && tile.classList.contains("waiting"))) {
        tile = this.#renew(index, tile, markup);
        if (markup) added.unshift(tile);
      }
      const placed = tile.parentNode === this.list && tile.nextElementSibling === next;
      if (!placed) this.list.insertBefore(tile, next);
      next = this.#startsSection(index) ? this.#head(index, tile) : tile;
    }
    return added;
  }

  /** Create the element of picture `index`. It replaces the placeholder `waiting`. */
  #renew(index, waiting, markup) {
    const tile = markup ? elementOf(markup) : waitingTile();
    place(tile, this.#boxOf(index));
    this.#show(index, tile);
    if (waiting) {
      const focused = waiting === document.activeElement;
      waiting.replaceWith(tile);
      if (focused) linkOf(tile).focus({ preventScroll: true });
    }
    return tile;
  }

  #show(index, tile) {
    this.shown.set(index, tile);
    tile.setAttribute("aria-posinset", index + 1);
    tile.setAttribute("aria-setsize", this.loader ? -1 : this.chunks.count);
  }

  /** Put the heading of the section that begins with picture `index` before its tile. */
  #head(index, tile) {
    if (!this.headings.has(index)) {
      const row = this.rows[rowOf(this.rows, index)];
      const heading = headingOf(this.sections[index]);
      heading.dataset.section = this.sections[index];
      place(heading, { top: row.top - row.strip, ...this.#spanOfSection(row, index) });
      this.headings.set(index, heading);
      this.newHeadings.push(heading);
      this.list.insertBefore(heading, tile);
    }
    return this.headings.get(index);
  }

  /** Return the space of a section in a row: from its first picture to that of the next section. */
  #spanOfSection(row, index) {
    const places = columns(row, this.ratios, this.gap);
    let next = index + 1;
    while (next < row.end && !this.#startsSection(next)) next += 1;
    const { left } = places[index - row.first];
    const right = next < row.end ? places[next - row.first].left : this.width;
    return { left, width: right - left };
  }

  /** Return the first element at or behind the place of picture `index`. */
  #elementFrom(index) {
    let next = Infinity;
    for (const known of this.shown.keys()) if (known >= index && known < next) next = known;
    return this.shown.get(next) ?? this.loader;
  }

  #announce(tiles) {
    const headings = this.newHeadings.splice(0);
    if (!tiles.length && !headings.length) return;
    const detail = { tiles, headings };
    this.list.dispatchEvent(new CustomEvent("grid:rendered", { detail, bubbles: true }));
  }
}
