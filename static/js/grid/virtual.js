// Grids of any length with a bounded number of elements. A grid sends `grid:rendered`, detail
// {tiles, headings}, on its `ul` after it has inserted elements. A script that removes pictures sends it
// `grid:removed`, detail {ids}. A script that inserts pictures behind another one sends it
// `grid:inserted`, detail {after, tiles}.

import { fetchTiles } from "clipsite/grid/chunks";
import { rowAt, rowOf } from "clipsite/grid/rows";
import { linkOf } from "clipsite/grid/tile-elements";
import { VirtualGrid } from "clipsite/grid/virtual-grid";

// The area with elements above and below the viewport, in heights of the viewport.
const MARGIN = 1;
// Free space below what sticks to the top, as in the scroll padding (css/base.css).
const AIR = 12;

const grids = new WeakMap();

/** Return the height in pixels that what sticks to the top covers. A row behind it does not count as
 *  visible. */
const covered = () => parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--covered")) || 0;

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

/** Return the grids in `area`, which may be a grid itself. */
function gridsIn(area) {
  const lists = area.matches("[data-grid]") ? [area] : [...area.querySelectorAll("[data-grid]")];
  return lists.map(gridOf);
}

/** Return the ids of all known pictures in `area`, in order. */
export const knownIds = (area) => gridsIn(area).flatMap((grid) => grid.chunks.ids);

/** Call `change`, which changes the layout, and keep the visible part in place. If it takes out the
 *  pictures of `gone`, the next one that stays comes to the place of the first visible one. */
export function holdStill(change, gone = new Set()) {
  const seen = firstSeen();
  const anchor = seen && find(seen, ({ id }) => !gone.has(id));
  // A picture that comes into view is seen whole.
  const top = anchor && (anchor.id === seen.id ? seen.top : Math.max(seen.top, covered() + AIR));
  change();
  if (anchor) {
    const moved = anchor.grid.topOf(anchor.chunk, offsetOf(anchor)) - top;
    if (Math.abs(moved) >= 1) scroll(moved);
  }
  update();
}

/** Return the first picture from `start` on, {grid, chunk, offset, id}, that `fits`, if any. The id
 *  of one that is not loaded is null. */
function find(start, fits) {
  const grids = allGrids();
  for (const grid of grids.slice(grids.indexOf(start.grid))) {
    const { list } = grid.chunks;
    for (const chunk of list.slice(grid === start.grid ? list.indexOf(start.chunk) : 0)) {
      for (let offset = chunk === start.chunk ? start.offset : 0; offset < chunk.count; offset += 1) {
        const found = { grid, chunk, offset, id: chunk.ids?.[offset] ?? null };
        if (fits(found)) return found;
      }
    }
  }
  return null;
}

/** Return the place of a picture in its part, which may have changed. */
function offsetOf({ chunk, offset, id }) {
  const now = id ? (chunk.ids?.indexOf(id) ?? -1) : -1;
  return now < 0 ? Math.min(offset, Math.max(0, chunk.count - 1)) : now;
}

/** Load a part that is not loaded. Rejects with NoAnswer. */
export async function load(grid, chunk) {
  if (chunk.ids || !chunk.address) return;
  const { tiles } = await fetchTiles(chunk.address);
  holdStill(() => grid.put(chunk, tiles));
}

/** Return {grid, index} of a loaded picture, or null. */
export function whereIs(id) {
  for (const grid of allGrids()) {
    const index = grid.chunks.indexOf(id);
    if (index >= 0) return { grid, index };
  }
  return null;
}

/**
 * Take pictures out of the grids of `area`. If one of them had the focus, or no picture, the first
 * one that stays behind them gets it. Returns a function that puts them back and shows the first of
 * them.
 * @param {HTMLElement} area
 * @param {string[]} ids
 */
export function takeOut(area, ids) {
  const gone = new Set(ids);
  const seen = firstSeen();
  const next = seen && find(find(seen, ({ id }) => gone.has(id)) ?? seen, ({ id }) => !gone.has(id));
  const focused = document.activeElement?.closest("li.tile")?.dataset.id;
  let backs;
  holdStill(() => (backs = gridsIn(area).map((grid) => grid.remove(gone))), gone);
  const kept = focused && !gone.has(focused) && whereIs(focused);
  if (kept) focusShown(kept.grid, kept.index);
  else if (next) focusShown(next.grid, next.grid.chunks.startOf(next.chunk) + offsetOf(next));
  return () => {
    holdStill(() => backs.forEach((back) => back()));
    const first = knownIds(area).find((id) => gone.has(id));
    const place = first && whereIs(first);
    if (place) showPicture(place.grid, place.index);
  };
}

/** Return the first picture below the header: {grid, chunk, offset, id, top}, or null. */
export function firstSeen() {
  const line = covered();
  for (const grid of allGrids()) {
    const box = grid.list.getBoundingClientRect();
    if (box.bottom <= line || !grid.rows.length) continue;
    const { first } = grid.rows[rowAt(grid.rows, line - box.top)];
    const { chunk, offset } = grid.chunks.locate(first);
    return { grid, chunk, offset, id: chunk.ids?.[offset] ?? null, top: grid.topOf(chunk, offset) };
  }
  return null;
}

/** Return by how much the row of a picture reaches above and below the free part of the window. */
function overhang(grid, index) {
  const row = grid.rows[rowOf(grid.rows, index)];
  const top = grid.list.getBoundingClientRect().top + row.top - row.strip;
  const padding = parseFloat(getComputedStyle(document.documentElement).scrollPaddingBottom) || 0;
  const bottom = top + row.strip + row.height;
  return { above: covered() + AIR - top, below: bottom + padding - window.innerHeight };
}

/** Focus picture `index` of a grid and scroll it into view. */
export function focusPicture(grid, index) {
  const { above, below } = overhang(grid, index);
  if (above > 0) scroll(-above);
  else if (below > 0) scroll(below);
  update();
  focusShown(grid, index);
}

/** Focus picture `index`. If it is out of view, it comes into the middle of the window. */
export function showPicture(grid, index) {
  const { above, below } = overhang(grid, index);
  if (above > 0 || below > 0) scroll((below - above) / 2);
  update();
  focusShown(grid, index);
}

function focusShown(grid, index) {
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
