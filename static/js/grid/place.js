// Restores a page with grids on a return, if the browser has not kept the page itself: its length,
// its scroll position, and the focus on the picture that was seen last.

import { NoAnswer } from "clipsite/base/ask";
import { lastPicture } from "clipsite/base/focus";
import { message } from "clipsite/base/messages";
import { idOf, reach, reachSeen, recallShapes, resume, shapesOf, snapshot } from "clipsite/grid/resume";
import { linkOf } from "clipsite/grid/tile-elements";
import { toast } from "clipsite/base/toast";
import { allGrids, firstSeen, showPicture, update, whereIs } from "clipsite/grid/virtual";

const PREFIX = "place:";
const RETURN = "return-to";
const KEPT = 8;
// Pictures that were moved to the trash on their own pages, in this tab.
const GONE = "gone";
const MOST_GONE = 500;
// Pictures behind the first visible one, which take its place if it is gone.
const FOLLOWING = 60;

const here = () => location.pathname + location.search;
const isPicture = () => Boolean(document.getElementById("stage"));

/** Treat the next visit to `address` as a return. */
export function announceReturn(address) {
  store(RETURN, address);
}

/** Store the picture that the viewer shows now, after the one that was opened from `page`. */
export function noteSeen(page, path) {
  const saved = read(PREFIX + page);
  if (saved) store(PREFIX + page, { ...saved, seen: path });
}

/** Note that picture `id` is in the trash, or no longer: a grid that the browser has kept in memory
 *  still has it. */
export function noteGone(id, isGone) {
  const others = (read(GONE) ?? []).filter((one) => one !== id);
  store(GONE, isGone ? [...others, id].slice(-MOST_GONE) : others);
}

function removeGone() {
  const ids = read(GONE);
  if (!ids?.length) return;
  for (const { list } of allGrids()) list.dispatchEvent(new CustomEvent("grid:removed", { detail: { ids } }));
}

/** Store the place when the page is left, and restore it on a return. */
export function keepPlace() {
  if (isPicture()) return;
  addEventListener("pagehide", save);
  addEventListener("pageshow", (event) => event.persisted && comeBack());
  const saved = read(PREFIX + here());
  if (saved && isReturn()) restore(saved);
}

/** The browser has kept the page in memory as it was left. */
function comeBack() {
  removeGone();
  const saved = read(PREFIX + here());
  if (saved?.seen) focusSeen(saved);
}

function isReturn() {
  const announced = read(RETURN) === here();
  if (announced) sessionStorage.removeItem(RETURN);
  const [entry] = performance.getEntriesByType("navigation");
  const { type } = /** @type {PerformanceNavigationTiming} */ (entry);
  return announced || type === "back_forward" || type === "reload";
}

function save() {
  const seen = firstSeen();
  if (!seen) return;
  const grids = allGrids();
  forgetOld();
  store(PREFIX + here(), {
    opened: lastPicture(),
    at: Date.now(),
    scroll: window.scrollY,
    grid: nameOf(seen.grid, grids),
    part: seen.chunk.address,
    pictures: seen.chunk.ids?.slice(seen.offset, seen.offset + FOLLOWING) ?? [],
    offset: seen.offset,
    top: seen.top,
    grids: grids.filter((grid) => !grid.list.dataset.parts).map(snapshot),
    shapes: grids.filter((grid) => grid.list.dataset.parts).flatMap(shapesOf),
  });
}

/** Return a name for a grid. Months have stable names, even if new months come before them. */
const nameOf = (grid, grids) => grid.list.id || String(grids.indexOf(grid));

async function restore(saved) {
  history.scrollRestoration = "manual";
  const paged = allGrids().filter((grid) => !grid.list.dataset.parts);
  try {
    await Promise.all(paged.map((grid, at) => saved.grids[at] && resume(grid, saved.grids[at])));
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    toast(message("network")); // the first part is loaded, the others follow as usual
  }
  recallShapes(saved.shapes ?? []);
  const grids = allGrids();
  const grid = grids.find((one) => nameOf(one, grids) === saved.grid);
  window.scrollTo({ top: saved.scroll, behavior: "instant" });
  let found = grid && find(grid.chunks.list, saved);
  const goThere = () => {
    if (!found || saved.scroll <= 0) return;
    const moved = grid.topOf(found.chunk, found.offset) - saved.top;
    window.scrollBy({ top: moved, behavior: "instant" });
  };
  goThere();
  if (grid?.list.dataset.parts && (await reach(grid, saved))) {
    found = find(grid.chunks.list, saved);
    goThere();
  }
  update();
  if (!saved.opened && !saved.seen) return;
  if (await focusSeen(saved, grid)) return;
  // If both are gone, the first visible one takes the focus.
  const tile = found && grid.shown.get(grid.chunks.startOf(found.chunk) + found.offset);
  if (tile) linkOf(tile).focus({ preventScroll: true });
}

/** Focus the picture that the viewer showed last, or else the one that was opened, and bring it into
 *  view. Resolves to whether one of them is there. */
async function focusSeen({ seen, opened, part }, grid = allGrids()[0]) {
  if (seen && grid) await reachSeen(grid, seen, part);
  const place = (seen && whereIs(idOf(seen))) ?? (opened && whereIs(idOf(opened)));
  if (place) showPicture(place.grid, place.index);
  return Boolean(place);
}

/** Return {chunk, offset} of the picture that was visible first, or of the next one that is still
 *  there. New pictures may have come before it. If its part is not loaded, return its old place in
 *  the part. */
function find(chunks, { pictures, part, offset }) {
  for (const picture of pictures ?? []) {
    const known = chunks.find((chunk) => chunk.ids?.includes(picture));
    if (known) return { chunk: known, offset: known.ids.indexOf(picture) };
  }
  const chunk = chunks.find(({ address }) => address === part);
  return chunk && { chunk, offset };
}

function forgetOld() {
  const known = Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));
  const oldest = known.sort((one, other) => read(one).at - read(other).at);
  oldest.slice(0, Math.max(0, known.length - KEPT)).forEach((key) => sessionStorage.removeItem(key));
}

function store(key, value) {
  try {
    sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden: a return begins at the top.
  }
}

function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}
