// Restores the length of a grid on a return, although the page contains only its first part.

import { fetchTiles } from "clipsite/grid/chunks";
import { holdStill } from "clipsite/grid/virtual";

// The most parts requested between the new first part and the known parts.
const SEAM_PARTS = 5;

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
  const met = await reach(grid, head.last, rest[0].first);
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

/** Request parts until the last one ends with picture `last` or contains picture `first`. Resolves
 *  to whether they meet the known parts. */
async function reach(grid, last, first) {
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

/** Set the address of the next part that the foot of the grid loads, or null for none. */
function leadOn(grid, address) {
  const { loader } = grid;
  grid.next = address;
  if (!loader || loader.getAttribute("hx-get") === address) return;
  if (!address) return loader.remove();
  const other = loader.cloneNode(true);
  other.setAttribute("hx-get", address);
  other.querySelector("a")?.setAttribute("href", address);
  loader.replaceWith(other);
  window.htmx.process(other);
}
