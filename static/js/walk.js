// From a grid to a picture, on to its neighbours, and back to the grid. The list
// is kept in this tab; the neighbours replace one another in the history, so that
// "back" is the grid again, scrolled to where it was.

const KEY = "walk";
const LIMIT = 1000;

export function remember(tile) {
  const grid = tile.closest("[data-grid]");
  const paths = [...grid.querySelectorAll("a[data-tile]")].map((a) => a.getAttribute("href"));
  const start = Math.max(0, paths.indexOf(tile.getAttribute("href")) - LIMIT / 2);
  try {
    const walk = { from: location.href, paths: paths.slice(start, start + LIMIT) };
    sessionStorage.setItem(KEY, JSON.stringify(walk));
  } catch {
    // Storage is full or forbidden: the picture opens without neighbours.
  }
}

function recall() {
  try {
    const walk = JSON.parse(sessionStorage.getItem(KEY));
    return walk?.paths.includes(location.pathname) ? walk : null;
  } catch {
    return null;
  }
}

/** The path of the picture `step` places further, or undefined. */
export function neighbour(step) {
  const walk = recall();
  return walk?.paths[walk.paths.indexOf(location.pathname) + step];
}

/** Go to that picture; true if there is one. */
export function walk(step) {
  const path = neighbour(step);
  if (path) location.replace(path);
  return Boolean(path);
}

/** Back to the grid that the picture was opened from, else home. */
export function leave() {
  const from = recall()?.from;
  if (from && history.length > 1) history.back();
  else location.assign(from ?? document.body.dataset.home);
}

/** Where a deleted picture leaves its owner. */
export const origin = () => recall()?.from;
