// Arrow keys in grids of pictures: left and right in reading order, up and down
// to the picture whose middle is nearest in the row above or below.

const tilesOf = (grid) => [...grid.querySelectorAll("a[data-tile]")];

const middle = (box) => box.left + box.width / 2;

/** Move the focus; true if the key was used up. */
export function moveInGrid(key) {
  const focused = document.activeElement?.closest("a[data-tile]");
  const grid = focused ? focused.closest("[data-grid]") : document.querySelector("[data-grid]");
  if (!grid) return false;
  const tiles = tilesOf(grid);
  const target = focused ? neighbour(tiles, focused, key) : firstInView(tiles);
  if (!target) return false;
  target.focus({ preventScroll: true });
  target.scrollIntoView({ block: "nearest" });
  return true;
}

function firstInView(tiles) {
  return tiles.find((tile) => tile.getBoundingClientRect().bottom > 80) ?? tiles[0];
}

function neighbour(tiles, focused, key) {
  const index = tiles.indexOf(focused);
  if (key === "ArrowRight") return tiles[index + 1];
  if (key === "ArrowLeft") return tiles[index - 1];
  const step = key === "ArrowDown" ? 1 : -1;
  const from = focused.getBoundingClientRect();
  let best;
  let rowTop;
  for (let i = index + step; i >= 0 && i < tiles.length; i += step) {
    const box = tiles[i].getBoundingClientRect();
    if (Math.abs(box.top - from.top) < 2) continue;
    rowTop ??= box.top;
    if (Math.abs(box.top - rowTop) > 2) break;
    const distance = Math.abs(middle(box) - middle(from));
    if (!best || distance < best.distance) best = { tile: tiles[i], distance };
  }
  return best?.tile;
}
