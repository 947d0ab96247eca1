// Finger, pen and mouse gestures on the stage: pinch, drag, double tap, wheel, swipe.

const TAP = { milliseconds: 320, pixels: 24 };
const SWIPE = 56; // pixels
// Parts of the stage that are not the picture.
const BESIDE = ".viewer-bar, .filmstrip, .slideshow-controls";
// Within this time after a scroll, the wheel continues to scroll the page.
const WHEEL_REST = 350; // ms

/** Listen to gestures. `swiped(step)` gets 1 for the next picture and -1 for the previous one. */
export function listenOn(stage, zoom, swiped) {
  const fingers = new Map();
  let start = null;
  let lastTap = { at: 0 };
  let scrolled = 0;

  const middle = () => {
    const all = [...fingers.values()];
    const mean = (side) => all.reduce((sum, one) => sum + one[side], 0) / all.length;
    return { x: mean("x"), y: mean("y") };
  };
  const spread = () => {
    const [one, other] = [...fingers.values()];
    return other ? Math.hypot(one.x - other.x, one.y - other.y) : 0;
  };
  const begin = () => {
    start = { ...middle(), spread: spread(), scale: zoom.scale, fingers: fingers.size };
  };

  stage.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest(`a, button, select, label, ${BESIDE}`)) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    stage.setPointerCapture(event.pointerId);
    begin();
    start.first = fingers.size === 1 ? { x: event.clientX, y: event.clientY } : null;
  });

  stage.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = middle();
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const now = middle();
    if (fingers.size === 2 && start.spread) {
      zoom.to((start.scale * spread()) / start.spread, now);
      zoom.pan(now.x - before.x, now.y - before.y);
    } else if (zoom.zoomed) zoom.pan(now.x - before.x, now.y - before.y);
    else if (event.pointerType !== "mouse") lean(now.x - start.x);
  });

  /** Move the picture a little with the finger, as a sign that it can be swiped. */
  function lean(x) {
    zoom.image.style.translate = x ? `${x * 0.6}px` : "";
  }

  function end(event) {
    if (!fingers.delete(event.pointerId)) return;
    lean(0);
    const { first } = start;
    if (fingers.size) return begin();
    if (!first || event.type === "pointercancel") return;
    const moved = { x: event.clientX - first.x, y: event.clientY - first.y };
    if (Math.hypot(moved.x, moved.y) < TAP.pixels / 2) return tapped(event);
    const aside = Math.abs(moved.x) > SWIPE && Math.abs(moved.x) > 1.5 * Math.abs(moved.y);
    if (aside && !zoom.zoomed && event.pointerType !== "mouse") swiped(moved.x < 0 ? 1 : -1);
  }

  function tapped(event) {
    const point = { x: event.clientX, y: event.clientY };
    const near = Math.hypot(point.x - lastTap.x, point.y - lastTap.y) < TAP.pixels;
    if (near && event.timeStamp - lastTap.at < TAP.milliseconds) {
      zoom.toggle(point);
      lastTap = { at: 0 };
    } else lastTap = { ...point, at: event.timeStamp };
  }

  stage.addEventListener("pointerup", end);
  stage.addEventListener("pointercancel", end);
  stage.addEventListener("dragstart", (event) => event.preventDefault());

  // The wheel always zooms a zoomed picture. Otherwise it zooms in if it is turned up and the page
  // is not scrolled, and else it scrolls the page.
  window.addEventListener("scroll", () => (scrolled = performance.now()), { passive: true });
  stage.addEventListener(
    "wheel",
    (event) => {
      if (event.target.closest(BESIDE)) return;
      const pinched = event.ctrlKey; // a touchpad's pinch arrives with Ctrl
      const scrolling = window.scrollY > 0 || performance.now() - scrolled < WHEEL_REST;
      const full = document.fullscreenElement;
      const towards = event.deltaY < 0 && (full || !scrolling);
      if (!pinched && !zoom.zoomed && !towards) return;
      event.preventDefault();
      const factor = Math.exp(-event.deltaY * (pinched ? 0.01 : 0.0018));
      zoom.to(zoom.scale * factor, { x: event.clientX, y: event.clientY });
    },
    { passive: false },
  );
}
