// Restores the length of a grid on a return, although the page contains only its first part.

import { ask, NoAnswer } from "clipsite/base/ask";
import { fetchTiles } from "clipsite/grid/chunks";
import { allGrids, gridOf, holdStill, load, whereIs } from "clipsite/grid/virtual";

// The most parts requested between the new first part and the known parts.
const SEAM_PARTS = 5;
// The most parts requested to find the picture that was seen last.
const SEEN_PARTS = 30;

/** Return the data for `resume`: shapes and addresses, no pictures. */
export function snapshot(grid) {
  const chunks = grid.chunks.list.map(({ address, first, ids, ratios }) => ({
    address,
    first,
    last: ids?.at(-1) ?? null,
    ratios: ratios.map((ratio) => Math.round(ratio * 1000)),
  }));
  return { chunks, next: grid.next };
}

/**
 * Add the parts of a snapshot behind the first part. If pictures were added or deleted since, parts
 * are requested until they meet the known ones.
 */
export async function resume(grid, { chunks: [head, ...rest], next }) {
  if (!rest.length || !grid.rows.length) return;
  const met = await meet(grid, head.last, rest[0].first);
  holdStill(() => {
    if (met) {
      for (const { address, first, ratios } of rest) {
        grid.chunks.add(address, ratios.map((ratio) => ratio / 1000)).first = first;
      }
      leadOn(grid, next);
    }
    grid.clear();
    grid.arrange();
  });
}

/** Return the shapes of the loaded parts of a grid whose number of pictures is known. */
export function shapesOf(grid) {
  return grid.chunks.list
    .filter(({ address, ids }) => address && ids)
    .map(({ address, ratios, sections }) => ({
      address,
      ratios: ratios.map((ratio) => Math.round(ratio * 10000)),
      sections,
    }));
}

/** Give the parts that are not loaded again the shapes that they had, so that the page has the same
 *  length. */
export function recallShapes(shapes) {
  const known = new Map(shapes.map((shape) => [shape.address, shape]));
  for (const grid of allGrids()) {
    const parts = grid.chunks.list.filter((chunk) => {
      const shape = known.get(chunk.address);
      return shape && !chunk.ids && shape.ratios.length === chunk.count;
    });
    if (!parts.length) continue;
    for (const chunk of parts) {
      const { ratios, sections } = known.get(chunk.address);
      chunk.ratios = ratios.map((ratio) => ratio / 10000);
      chunk.sections = sections;
    }
    grid.arrange();
  }
}

/**
 * Load the part in which a picture was. If it is no longer there because others were added, load
 * those behind it. Resolves to whether the picture is loaded.
 */
export async function reach(grid, { pictures: [picture] = [], part }) {
  const { list } = grid.chunks;
  const isHere = () => grid.chunks.ids.includes(picture);
  const at = list.findIndex(({ address }) => address === part);
  try {
    for (const chunk of at < 0 ? [] : list.slice(at, at + SEAM_PARTS)) {
      if (isHere()) break;
      await load(grid, chunk);
    }
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error; // the parts follow as usual
  }
  return isHere();
}

/**
 * Load the part of the picture that was seen last, with its `path`. It may be far from `part`, the
 * one that was visible.
 */
export async function reachSeen(grid, path, part) {
  if (whereIs(idOf(path))) return;
  try {
    if (grid.list.dataset.parts) await reachInMonth(path);
    else await reachAround(grid, idOf(path), part);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error; // the one that was opened takes the focus
  }
}

/** The server knows the month of a picture in the timeline, and its number there. */
async function reachInMonth(path) {
  const answer = await ask(`${path}month/${location.search}`);
  if (!answer.ok) return;
  const { month, index } = JSON.parse(answer.text);
  const list = document.getElementById(`grid-${month}`);
  const place = list && gridOf(list).chunks.locate(index);
  if (place) await load(gridOf(list), place.chunk);
}

/** Return the id of the picture with a page at `path`. */
export const idOf = (path) => path.split("/").at(-2);

/** Load the parts around the visible one, the nearest first, and then those behind the known ones. */
async function reachAround(grid, id, part) {
  const { list } = grid.chunks;
  const at = Math.max(0, list.findIndex(({ address }) => address === part));
  const near = list.filter(({ ids }) => !ids);
  near.sort((one, other) => Math.abs(list.indexOf(one) - at) - Math.abs(list.indexOf(other) - at));
  for (let asked = 0; asked < SEEN_PARTS && !whereIs(id); asked += 1) {
    if (near.length) await load(grid, near.shift());
    else if (grid.next && !grid.folds) await append(grid);
    else return;
  }
}

/** Load the next part of a grid. */
async function append(grid) {
  const { tiles, more } = await fetchTiles(grid.next);
  holdStill(() => {
    grid.chunks.add(grid.next).take(tiles);
    leadOn(grid, more);
    grid.arrange();
  });
}

/** Request parts until the last one ends with picture `last` or contains picture `first`. Resolves
 *  to whether they meet the known parts. */
async function meet(grid, last, first) {
  for (let part = 0; part < SEAM_PARTS; part += 1) {
    const newest = grid.chunks.list.at(-1);
    const seam = newest.ids.indexOf(first);
    if (seam >= 0) {
      const fresh = new Set(newest.ids.slice(0, seam));
      newest.narrow((id) => fresh.has(id));
      return true;
    }
    if (newest.ids.at(-1) === last) return true;
    if (!grid.next) return false;
    const { tiles, more } = await fetchTiles(grid.next);
    grid.chunks.add(grid.next).take(tiles);
    leadOn(grid, more);
  }
  return false;
}

/** The known parts are behind a button (templates/search/weaker.html): they are shown already, and
 *  the next one loads by itself. */
function unfold(loader) {
  loader.removeAttribute("data-folds");
  loader.classList.remove("weaker");
  loader.setAttribute("hx-trigger", "intersect once");
  loader.querySelector("[data-name]").textContent = loader.dataset.then;
}

/** Set the address of the next part that the foot of the grid loads, or null for none. */
function leadOn(grid, address) {
  const { loader } = grid;
  grid.next = address;
  if (!loader || loader.getAttribute("hx-get") === address) return;
  if (!address) return loader.remove();
  const other = loader.cloneNode(true);
  other.setAttribute("hx-get", address);
  if ("folds" in other.dataset) unfold(other);
  other.querySelector("a")?.setAttribute("href", address);
  loader.replaceWith(other);
  window.htmx.process(other);
}
