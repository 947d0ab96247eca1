// The single elements of a grid.

import { dayName, wholeDate } from "clipsite/grid/day-names";

export function elementOf(markup) {
  const holder = document.createElement("template");
  holder.innerHTML = markup;
  return holder.content.firstElementChild;
}

/** Create a placeholder for a picture that is not loaded. It can have the focus. */
export function waitingTile() {
  const tile = document.createElement("li");
  tile.className = "tile waiting";
  tile.tabIndex = -1;
  return tile;
}

/** Return the element of a tile that takes the focus. */
export const linkOf = (tile) => tile.querySelector("a[data-tile]") ?? tile;

/** Remove a tile and stop loading its picture. */
export function discard(tile) {
  for (const image of tile.querySelectorAll("img")) {
    if (image.complete) continue;
    image.removeAttribute("srcset");
    image.removeAttribute("src");
  }
  tile.remove();
}

/** Position an element in its list, in pixels. */
export function place(element, box) {
  for (const [side, value] of Object.entries(box)) element.style[side] = `${value}px`;
}

/** Return the page's heading for a section that begins a new row, or null for a day. The page has a
 *  template for it. */
export const ownHeading = (section) =>
  document.querySelector(`template[data-heading="${section}"]`)?.content.firstElementChild ?? null;

/** Create the heading of a section: a day like "2024-05-03", or a section with its own heading. */
export function headingOf(section) {
  return ownHeading(section)?.cloneNode(true) ?? dayHeading(section);
}

function dayHeading(day) {
  const heading = document.createElement("li");
  heading.className = "day";
  heading.dataset.day = day;
  const text = document.createElement("h3");
  text.textContent = dayName(day);
  text.title = wholeDate(day); // the visible text may be short or cut off
  heading.append(text);
  return heading;
}
