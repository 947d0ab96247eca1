// The back button closes what lies over the page: dialogs and, where there is a bar at the foot,
// menus and sheets. While one is open, the history has one more entry for this page, marked `over`.

const SMALL = matchMedia("(hover: none), (max-width: 1023px)");
// Time in which closing a layer may begin to load another page.
const LEAVING_MS = 50;
let isLeaving = false;
let timer = 0;
/** Whether the way back from an entry has begun, which takes a moment. */
let isReturning = false;

/** What is open, the topmost last. @type {HTMLElement[]} */
let layers = [];

const isOver = () => Boolean(history.state?.over);
const isLayer = (element) => element.matches("dialog") || (element.popover && SMALL.matches);

/** Forget what closed without an event: it was removed, or opened again at once. */
function stillOpen() {
  layers = layers.filter((layer) => layer.matches("dialog[open], :popover-open"));
  return layers;
}

function noteLeaving() {
  isLeaving = true;
}

function addEntry() {
  isLeaving = false;
  addEventListener("beforeunload", noteLeaving);
  if (!isReturning && !isOver()) history.pushState({ ...history.state, over: true }, "");
}

/** Remove the entry of layers that are closed, unless another page is being loaded: going back would
 *  end that. */
function removeEntry() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (stillOpen().length || isReturning) return;
    removeEventListener("beforeunload", noteLeaving);
    if (isLeaving || !isOver()) return;
    isReturning = true;
    history.back();
  }, LEAVING_MS);
}

function close(layer) {
  if (layer instanceof HTMLDialogElement) layer.close();
  else layer.hidePopover();
}

// Toggle events do not bubble.
document.addEventListener(
  "toggle",
  (event) => {
    const { newState } = /** @type {ToggleEvent} */ (event);
    const layer = /** @type {HTMLElement} */ (event.target);
    if (newState === "open" && isLayer(layer)) {
      layers = [...stillOpen().filter((other) => other !== layer), layer];
      addEntry();
    } else if (newState === "closed" && layers.includes(layer) && !stillOpen().length) {
      removeEntry();
    }
  },
  true,
);

addEventListener("popstate", () => {
  const isOurs = isReturning;
  isReturning = false;
  if (isOver()) return;
  if (!isOurs && stillOpen().length) close(layers.pop());
  if (layers.length) addEntry();
});

// A link in a layer leads on from the page below, so that "back" returns there.
document.addEventListener("click", (event) => {
  const link = /** @type {Element} */ (event.target).closest("a");
  if (!link?.href || !isOver() || !layers.at(-1)?.contains(link)) return;
  const isPlain = !(event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (event.defaultPrevented || !isPlain || link.target || link.hasAttribute("download")) return;
  event.preventDefault();
  addEventListener("popstate", () => location.assign(link.href), { once: true });
  history.back();
});

// The page was left by a form in a dialog, or loaded again.
if (isOver()) history.replaceState({ ...history.state, over: false }, "");
