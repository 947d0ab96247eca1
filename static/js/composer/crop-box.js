// The arithmetic of a rectangle on a picture. All values are percentages of the picture's width and
// height.

/**
 * @typedef {{left: number, top: number, width: number, height: number}} Box
 * @typedef {{least: number, digits: number}} Limits the least side, and the decimal places
 */

export const WHOLE = { left: 0, top: 0, width: 100, height: 100 };

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/**
 * Return a rectangle limited to the picture.
 * @param {Box} box
 * @param {Limits} limits
 * @returns {Box}
 */
export function within({ left, top, width, height }, { least, digits }) {
  const rounded = (value) => Number(value.toFixed(digits));
  const wide = clamp(rounded(width), least, 100);
  const high = clamp(rounded(height), least, 100);
  return {
    left: clamp(rounded(left), 0, rounded(100 - wide)),
    top: clamp(rounded(top), 0, rounded(100 - high)),
    width: wide,
    height: high,
  };
}

/**
 * Return a rectangle after a drag by (x, y) of its corner "nw", "ne", "sw" or "se" or of its side
 * "n", "e", "s" or "w". With `ratio`, width by height, the opposite corner stays.
 * @param {Box} box
 * @param {string} corner
 * @param {number} x
 * @param {number} y
 * @param {Limits} limits
 * @param {number | null} [ratio]
 * @returns {Box}
 */
export function resized(box, corner, x, y, limits, ratio = null) {
  const right = box.left + box.width;
  const bottom = box.top + box.height;
  const { least } = limits;
  const west = corner.includes("w") ? clamp(box.left + x, 0, right - least) : box.left;
  const north = corner.includes("n") ? clamp(box.top + y, 0, bottom - least) : box.top;
  const east = corner.includes("e") ? clamp(right + x, box.left + least, 100) : right;
  const south = corner.includes("s") ? clamp(bottom + y, box.top + least, 100) : bottom;
  const free = { left: west, top: north, width: east - west, height: south - north };
  return within(ratio ? locked(free, box, corner, limits, ratio) : free, limits);
}

/** Return `free` with the ratio, as large as it fits, from the corner of `box` that stays. */
function locked(free, box, corner, { least }, ratio) {
  const right = box.left + box.width;
  const bottom = box.top + box.height;
  const roomX = corner.includes("w") ? right : 100 - box.left;
  const roomY = corner.includes("n") ? bottom : 100 - box.top;
  const most = Math.min(roomX, roomY * ratio);
  const width = clamp(Math.max(free.width, free.height * ratio), Math.max(least, least * ratio), most);
  const height = width / ratio;
  return {
    left: corner.includes("w") ? right - width : box.left,
    top: corner.includes("n") ? bottom - height : box.top,
    width,
    height,
  };
}

/**
 * Return the largest rectangle of this ratio inside `box`, around its middle.
 * @param {Box} box
 * @param {number} ratio width by height, in percentages
 * @returns {Box}
 */
export function fitted(box, ratio) {
  const width = Math.min(box.width, box.height * ratio);
  const height = width / ratio;
  return {
    left: box.left + (box.width - width) / 2,
    top: box.top + (box.height - height) / 2,
    width,
    height,
  };
}

/**
 * Return where a rectangle lies after the picture is turned to the right by a number of quarters.
 * @param {Box} box
 * @param {number} quarters
 * @returns {Box}
 */
export function turned(box, quarters) {
  let found = box;
  for (let turn = ((quarters % 4) + 4) % 4; turn > 0; turn -= 1) {
    const { left, top, width, height } = found;
    found = { left: 100 - top - height, top: left, width: height, height: width };
  }
  return found;
}
