// The elements of a grid, one by one.

const dayNames = new Intl.DateTimeFormat(document.documentElement.lang, {
  weekday: "short",
  day: "numeric",
  month: "short",
  timeZone: "UTC",
});

export function elementOf(markup) {
  const holder = document.createElement("template");
  holder.innerHTML = markup;
  return holder.content.firstElementChild;
}

/** What stands for a picture until it comes. The keyboard may rest on it. */
export function waitingTile() {
  const tile = document.createElement("li");
  tile.className = "tile waiting";
  tile.tabIndex = -1;
  return tile;
}

/** What takes the focus in a tile. */
export const linkOf = (tile) => tile.querySelector("a[data-tile]") ?? tile;

/** Take a tile out. A picture still on its way is no longer waited for. */
export function discard(tile) {
  for (const image of tile.querySelectorAll("img")) {
    if (image.complete) continue;
    image.removeAttribute("srcset");
    image.removeAttribute("src");
  }
  tile.remove();
}

/** Place an element in its list, in pixels. */
export function place(element, box) {
  for (const [side, value] of Object.entries(box)) element.style[side] = `${value}px`;
}

/** The heading of a section that begins in a row of its own: the page brings a template
 *  for it. Null for a day. */
export const ownHeading = (section) =>
  document.querySelector(`template[data-heading="${section}"]`)?.content.firstElementChild ?? null;

/** What stands above a section of a grid: a day like "2024-05-03", or one with a heading
 *  of its own. */
export function headingOf(section) {
  return ownHeading(section)?.cloneNode(true) ?? dayHeading(section);
}

function dayHeading(day) {
  const heading = document.createElement("li");
  heading.className = "day";
  const text = document.createElement("h3");
  text.textContent = dayNames.format(new Date(`${day}T00:00:00Z`));
  text.title = text.textContent; // it may be cut short
  heading.append(text);
  return heading;
}
