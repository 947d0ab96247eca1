// Computes justified rows for pictures that are not in the document. The result equals the flex
// layout of css/grid.css, except for the height of rows that are not full.

/**
 * Lay out pictures in rows. `ratios` are width / height. `row` is the height at which a row is
 * filled. `strip` is the height of the headings above a row, if `startsSection(index)` is true for
 * one of its pictures. If `startsRow(index)` is true, the previous row ends, full or not. A row that
 * is not full is as high as if more pictures of its kind had filled it: the columns of pictures of
 * one shape line up from row to row.
 * Returns the rows, {first, end, top, height, strip} in whole pixels, and the total height. `top`
 * is the upper edge of the pictures, below the strip.
 *
 * @typedef {{ first: number, end: number, top: number, height: number, strip: number }} Row
 * @param {number[]} ratios
 * @param {{
 *   width: number,
 *   row: number,
 *   gap: number,
 *   strip: number,
 *   startsSection: (index: number) => boolean,
 *   startsRow: (index: number) => boolean,
 * }} measures
 * @returns {{ rows: Row[], height: number }}
 */
export function layOut(ratios, { width, row, gap, strip, startsSection, startsRow }) {
  const rows = [];
  let bottom = 0;
  const close = (first, end, sum, full) => {
    const count = end - first;
    const ratio = sum / count;
    const fitting = full ? count : Math.max(count, Math.floor((width + gap) / (ratio * row + gap)));
    const height = Math.max(1, Math.round((width - gap * (fitting - 1)) / (ratio * fitting)));
    const headed = hasHeading(first, end, startsSection) ? strip : 0;
    rows.push({ first, end, top: bottom + headed, height, strip: headed });
    bottom += headed + height + gap;
  };
  let first = 0;
  let sum = 0;
  for (let index = 0; index < ratios.length; index += 1) {
    const full = (sum + ratios[index]) * row + gap * (index - first) > width;
    if (index > first && (full || startsRow(index))) {
      close(first, index, sum, full);
      first = index;
      sum = 0;
    }
    sum += ratios[index];
  }
  if (ratios.length) close(first, ratios.length, sum, false);
  return { rows, height: Math.max(0, bottom - gap) };
}

function hasHeading(first, end, startsSection) {
  for (let index = first; index < end; index += 1) if (startsSection(index)) return true;
  return false;
}

/** Return {left, width} of each picture of a row. Rounding errors do not add up along the row.
 * @param {Row} row
 * @param {number[]} ratios
 * @param {number} gap */
export function columns(row, ratios, gap) {
  const found = [];
  let left = 0;
  for (let index = row.first; index < row.end; index += 1) {
    const right = left + ratios[index] * row.height;
    found.push({ left: Math.round(left), width: Math.round(right) - Math.round(left) });
    left = right + gap;
  }
  return found;
}

/** Return the number of the first row that ends below `y`, or of the last row.
 * @param {Row[]} rows
 * @param {number} y */
export function rowAt(rows, y) {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].top + rows[middle].height > y) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Return the number of the row with picture `index`.
 * @param {Row[]} rows
 * @param {number} index */
export function rowOf(rows, index) {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].end > index) high = middle;
    else low = middle + 1;
  }
  return low;
}
