// Grids of any length with a bounded number of elements. A grid sends `grid:rendered`, detail
// {tiles}, on its `ul` after it has inserted elements. A script that removes pictures sends it
// `grid:removed`, detail {ids}. A script that inserts pictures behind another one sends it
// `grid:inserted`, detail {after, tiles}.

import { rowAt, rowOf } from "clipsite/grid/rows";
import { linkOf } from "clipsite/grid/tile-elements";
import { VirtualGrid } from "clipsite/grid/virtual-grid";

// The area with elements above and below the viewport, in heights of the viewport.
const MARGIN = 1;
// The part of the scroll padding (css/base.css) that is free space.
const AIR = 12;

const grids = new WeakMap();

/** Return the height in pixels that what sticks to the top covers. A row behind it does not count as
 *  visible. */
const covered = () => {
  const padding = parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop);
  return (padding || 0) - AIR;
};

const widths = new ResizeObserver((entries) => {
  const changed = entries.map(({ target }) => grids.get(target)).filter((grid) => grid.resized);
  if (!changed.length) return;
  holdStill(() => {
    changed.forEach((grid) => grid.measure());
    changed.forEach((grid) => grid.arrange());
  });
});

/** Return the grid of a `ul[data-grid]`, created on first use. */
export function gridOf(list) {
  if (!grids.has(list)) begin([list]);
  return grids.get(list);
}

/** Return all grids of the page, in document order. */
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

/** Return the ids of all known pictures in `area`, in order. */
export function knownIds(area) {
  const lists = area.matches("[data-grid]") ? [area] : [...area.querySelectorAll("[data-grid]")];
  return lists.flatMap((list) => gridOf(list).chunks.ids);
}

/** Call `change`, which changes the layout, and keep the visible part in place. */
export function holdStill(change) {
  const anchor = firstSeen();
  change();
  if (anchor) {
    const moved = anchor.grid.topOf(anchor.chunk, anchor.offset) - anchor.top;
    if (Math.abs(moved) >= 1) scroll(moved);
  }
  update();
}

/** Return the first picture below the header: {grid, chunk, offset, top}, or null. */
export function firstSeen() {
  const line = covered();
  for (const grid of allGrids()) {
    const box = grid.list.getBoundingClientRect();
    if (box.bottom <= line || !grid.rows.length) continue;
    const { first } = grid.rows[rowAt(grid.rows, line - box.top)];
    const { chunk, offset } = grid.chunks.locate(first);
    return { grid, chunk, offset, top: grid.topOf(chunk, offset) };
  }
  return null;
}

/** Focus picture `index` of a grid and scroll it into view. */
export function focusPicture(grid, index) {
  const row = grid.rows[rowOf(grid.rows, index)];
  const top = grid.list.getBoundingClientRect().top + row.top - row.strip;
  const above = top - covered() - AIR;
  const below = top + row.strip + row.height + 24 - window.innerHeight;
  if (above < 0) scroll(above);
  else if (below > 0) scroll(below);
  update();
  const tile = grid.shown.get(index);
  if (tile) linkOf(tile).focus({ preventScroll: true });
}

/** Update all grids for the current scroll position, at once. */
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
