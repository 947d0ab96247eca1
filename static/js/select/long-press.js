// Long presses: a finger rests instead of tapping or scrolling.

const PATIENCE = 450; // ms; shorter than the browser's delay for its own menu
const SLOP = 10; // px

/** Call `pressed(element)` after a long press on an element in `area` that matches `selector`. The
 *  following click and menu are suppressed. */
export function onLongPress(area, selector, pressed) {
  let timer = null;
  let start = null;
  let fired = false;

  const cancel = () => clearTimeout(timer);

  area.addEventListener("pointerdown", (event) => {
    cancel();
    fired = false;
    const element = event.target.closest(selector);
    if (event.pointerType !== "touch" || !element) return;
    start = { x: event.clientX, y: event.clientY };
    timer = setTimeout(() => {
      fired = true;
      navigator.vibrate?.(10);
      pressed(element);
    }, PATIENCE);
  });
  area.addEventListener("pointermove", (event) => {
    if (start && Math.hypot(event.clientX - start.x, event.clientY - start.y) > SLOP) cancel();
  });
  for (const name of ["pointerup", "pointercancel"]) area.addEventListener(name, cancel);

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
