// Grids of any length with a bounded document. A grid tells what it has put into the
// document with `grid:rendered`, detail {tiles}, on its `ul`; whoever takes pictures
// out tells it with `grid:removed`, detail {ids}, and whoever puts some in behind
// another with `grid:inserted`, detail {after, tiles}.

import { rowAt, rowOf } from "clipsite/grid/rows";
import { linkOf } from "clipsite/grid/tile-elements";
import { VirtualGrid } from "clipsite/grid/virtual-grid";

// What has elements above and below the viewport, in heights of it.
const MARGIN = 1;
// A row counts as seen below the sticky header, which is so high in pixels.
const HEADER = 64;

const grids = new WeakMap();

const widths = new ResizeObserver((entries) => {
  const changed = entries.map(({ target }) => grids.get(target)).filter((grid) => grid.resized);
  if (!changed.length) return;
  holdStill(() => {
    changed.forEach((grid) => grid.measure());
    changed.forEach((grid) => grid.arrange());
  });
});

/** The grid of a `ul[data-grid]`, made on first use. */
export function gridOf(list) {
  if (!grids.has(list)) begin([list]);
  return grids.get(list);
}

/** All grids of the page, in its order. */
export function allGrids() {
  const lists = [...document.querySelectorAll("[data-grid]")];
  begin(lists.filter((list) => !grids.has(list)));
  return lists.map((list) => grids.get(list));
}

function begin(lists) {
  const fresh = lists.map((list) => new VirtualGrid(list, { holdStill, soon }));
  fresh.forEach((grid) => grids.set(grid.list, grid));
  fresh.forEach((grid) => grid.measure());
  fresh.forEach((grid) => grid.begin());
  lists.forEach((list) => widths.observe(list));
}

/** The ids of all pictures that are known of in `area`, in their order. */
export function knownIds(area) {
  const lists = area.matches("[data-grid]") ? [area] : [...area.querySelectorAll("[data-grid]")];
  return lists.flatMap((list) => gridOf(list).chunks.ids);
}

/** Change the layout by `change` while what is seen stays where it is. */
export function holdStill(change) {
  const anchor = firstSeen();
  change();
  if (anchor) {
    const moved = anchor.grid.topOf(anchor.chunk, anchor.offset) - anchor.top;
    if (Math.abs(moved) >= 1) scroll(moved);
  }
  update();
}

/** The first picture under the header: {grid, chunk, offset, top}, or null. */
export function firstSeen() {
  for (const grid of allGrids()) {
    const box = grid.list.getBoundingClientRect();
    if (box.bottom <= HEADER || !grid.rows.length) continue;
    const { first } = grid.rows[rowAt(grid.rows, HEADER - box.top)];
    const { chunk, offset } = grid.chunks.locate(first);
    return { grid, chunk, offset, top: grid.topOf(chunk, offset) };
  }
  return null;
}

/** Give picture `index` of a grid the keyboard's focus, and bring it into view. */
export function focusPicture(grid, index) {
  const row = grid.rows[rowOf(grid.rows, index)];
  const top = grid.list.getBoundingClientRect().top + row.top - row.strip;
  const above = top - HEADER - 12;
  const below = top + row.strip + row.height + 24 - window.innerHeight;
  if (above < 0) scroll(above);
  else if (below > 0) scroll(below);
  update();
  const tile = grid.shown.get(index);
  if (tile) linkOf(tile).focus({ preventScroll: true });
}

/** Bring every grid in line with where the page is scrolled to, now. */
export function update() {
  const height = window.innerHeight;
  const seen = allGrids().map((grid) => [grid, grid.list.getBoundingClientRect().top]);
  for (const [grid, top] of seen) grid.show(-top - MARGIN * height, -top + (1 + MARGIN) * height);
}

let waiting = false;

function soon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    update();
  });
}

const scroll = (distance) => window.scrollBy({ top: distance, behavior: "instant" });

window.addEventListener("scroll", soon, { passive: true });
window.addEventListener("resize", soon);
