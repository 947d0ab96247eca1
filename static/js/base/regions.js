// F6 leads from the page to what floats over it, the bar of a selection and the notices, and back to
// where the focus was; with Shift the other way round. In the document these come last.

const FOCUSABLE = "a[href], button:enabled";

/** Where the focus was before it went to a floating region. @type {HTMLElement | null} */
let left = null;

const regions = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-landmark]")]);
const isShown = (element) => element.checkVisibility();
const first = (region) => [...region.querySelectorAll(FOCUSABLE)].find(isShown);
// What a region is for, not what closes it.
const entrance = (region) => [...region.querySelectorAll("[data-entrance]:enabled, [data-undo]")].filter(isShown).at(-1);

/** @param {KeyboardEvent} event */
function move(event) {
  if (event.key !== "F6" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog:modal")) return;
  const open = regions().filter((region) => isShown(region) && first(region));
  if (!open.length) return; // the browser has its own use of the key
  event.preventDefault();
  const active = /** @type {HTMLElement} */ (document.activeElement);
  const at = open.findIndex((region) => region.contains(active));
  if (at < 0) left = active;
  const stops = [null, ...open];
  const next = stops[(at + 1 + (event.shiftKey ? -1 : 1) + stops.length) % stops.length];
  if (next) (entrance(next) ?? first(next)).focus();
  else goBack();
}

function goBack() {
  const place = left?.isConnected && left !== document.body ? left : document.querySelector("a[data-tile]");
  /** @type {HTMLElement} */ (place ?? document.getElementById("content")).focus();
}

document.addEventListener("keydown", move);
