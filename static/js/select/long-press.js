// Long presses: a finger rests instead of tapping or scrolling. It may then go on over the page.

const PATIENCE = 450; // ms; shorter than the browser's delay for its own menu
const SLOP = 10; // px
const EDGE = 90; // px; a finger so near to the top or the foot of the window scrolls the page
const SPEED = 0.16; // of the way into the edge, for each frame

/** Call `pressed(element)` after a long press on an element in `area` that matches `selector`, and
 *  `dragged(element)` for each one that the finger comes to before it is lifted. The following click
 *  and menu are suppressed. */
export function onLongPress(area, selector, { pressed, dragged }) {
  let timer = null;
  let start = null;
  let fired = false;
  /** Where the finger is, after a long press. @type {{ x: number, y: number } | null} */
  let finger = null;
  let under = null;

  function cancel() {
    clearTimeout(timer);
    finger = null;
  }

  area.addEventListener("pointerdown", (event) => {
    cancel();
    fired = false;
    const element = event.target.closest(selector);
    if (event.pointerType !== "touch" || !event.isPrimary || !element) return;
    start = { x: event.clientX, y: event.clientY };
    timer = setTimeout(() => {
      fired = true;
      finger = start;
      under = element;
      navigator.vibrate?.(10);
      pressed(element);
      requestAnimationFrame(scrollOn);
    }, PATIENCE);
  });

  function follow(event) {
    const place = { x: event.clientX, y: event.clientY };
    if (finger) {
      finger = place;
      reach();
    } else if (start && Math.hypot(place.x - start.x, place.y - start.y) > SLOP) cancel();
  }

  function reach() {
    const element = document.elementFromPoint(finger.x, finger.y)?.closest(selector);
    if (!element || element === under || !area.contains(element)) return;
    under = element;
    dragged(element);
  }

  /** Scroll while the finger is near the top or the foot, the faster the nearer. */
  function scrollOn() {
    if (!finger) return;
    const above = Math.min(0, finger.y - EDGE);
    const below = Math.max(0, finger.y - (window.innerHeight - EDGE));
    if (above || below) {
      window.scrollBy({ top: (above + below) * SPEED, behavior: "instant" });
      reach();
    }
    requestAnimationFrame(scrollOn);
  }

  // The page may drop the element under the finger, so these listen to the window.
  window.addEventListener("pointermove", follow);
  for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, cancel);
  // Without this the browser would scroll, or go back, and end the events. Before a long press it
  // does what it always does.
  area.addEventListener("touchmove", (event) => finger && event.cancelable && event.preventDefault(), { passive: false });

  const swallow = (event) => {
    if (!fired) return;
    event.preventDefault();
    event.stopPropagation();
  };
  area.addEventListener("contextmenu", swallow);
  // This must run before the listener for clicks on tiles, which is on the document.
  window.addEventListener(
    "click",
    (event) => {
      if (area.contains(event.target)) swallow(event);
      fired = false;
    },
    true,
  );
}
