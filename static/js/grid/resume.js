// A grid as long as it was when it was left, though the page has brought its first
// part alone.

import { fetchTiles } from "clipsite/grid/chunks";
import { holdStill } from "clipsite/grid/virtual";

// The most parts that are asked for between what a page shows anew and what it showed.
const SEAM_PARTS = 5;

/** What `resume` needs: shapes and addresses, no pictures. */
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
 * Add behind the first part what `saved` knows. Where pictures were added or deleted
 * since, the parts between are asked for until they meet what is known.
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

/** Ask for parts until picture `last` is the newest or `first` would be the next. */
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

/** Let the foot of the grid load `address`, or nothing more. */
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
