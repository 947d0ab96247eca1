// Starts the virtual grids and moves the focus in them by arrow keys. Left and right follow the
// reading order. Up and down lead to the picture with the nearest middle in the row above or below.

import { keepPlace } from "clipsite/grid/place";
import { columns, rowAt, rowOf } from "clipsite/grid/rows";
import { allGrids, focusPicture, gridOf, update } from "clipsite/grid/virtual";

// The top edge for pages of rows, below the header, in pixels.
const TOP = 80;

/** Move the focus. Returns true if the key was handled. */
export function moveInGrid(key) {
  const focused = document.activeElement?.closest("li.tile");
  const list = focused ? focused.closest("[data-grid]") : firstListInView();
  if (!list) return false;
  const grid = gridOf(list);
  const index = focused ? grid.indexOf(focused) : -1;
  const target = index < 0 ? startIn(grid) : neighbour(grid, index, key);
  if (!target) return false;
  focusPicture(target.grid, target.index);
  return true;
}

const filled = () => allGrids().filter((grid) => grid.rows.length);

function firstListInView() {
  const found = filled();
  const seen = found.find((grid) => grid.list.getBoundingClientRect().bottom > TOP);
  return (seen ?? found[0])?.list;
}

function startIn(grid) {
  const row = grid.rows[rowAt(grid.rows, TOP - grid.list.getBoundingClientRect().top)];
  return { grid, index: row.first };
}

function neighbour(grid, index, key) {
  const step = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  if (key === "ArrowLeft" || key === "ArrowRight") {
    return grid.ratios[index + step] ? { grid, index: index + step } : beyond(grid, step);
  }
  const from = rowOf(grid.rows, index);
  const middle = middleOf(grid, grid.rows[from], index);
  const row = grid.rows[from + step];
  if (row) return { grid, index: nearest(grid, row, middle) };
  const other = gridBeside(grid, step);
  return other && { grid: other, index: nearest(other, other.rows.at(step > 0 ? 0 : -1), middle) };
}

/** Return the first picture of the next grid, or the last one of the previous grid. */
function beyond(grid, step) {
  const other = gridBeside(grid, step);
  return other && { grid: other, index: step > 0 ? 0 : other.ratios.length - 1 };
}

/** Return the next or previous grid of a timeline: the keys move through its months as one grid. */
function gridBeside(grid, step) {
  const together = filled().filter(({ list }) => list.dataset.parts && grid.list.dataset.parts);
  return together[together.indexOf(grid) + step];
}

function middleOf(grid, row, index) {
  const { left, width } = columns(row, grid.ratios, grid.gap)[index - row.first];
  return left + width / 2;
}

function nearest(grid, row, middle) {
  let best = row.first;
  for (let index = row.first; index < row.end; index += 1) {
    const closer = Math.abs(middleOf(grid, row, index) - middle);
    if (closer < Math.abs(middleOf(grid, row, best) - middle)) best = index;
  }
  return best;
}

document.addEventListener("htmx:load", update); // a loaded part may contain a grid
update();
keepPlace();
