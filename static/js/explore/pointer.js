// Mouse, pen, finger and keyboard input on the map.

const SLOP = 6; // pixels that a click may move
const WHEEL = 0.0016;
const PINCHED = 0.01; // a trackpad's pinch arrives as a wheel event with Ctrl
const STRIDE = 90; // pixels an arrow key moves the map
const CLOSER = 1.5;

/**
 * Listen to input. It calls these methods of `map`: for a mouse hover(left, top), hold(left, top)
 * while it moves the map, and leave(); for all pointers tap(left, top, event); for the lasso
 * draw(left, top), drawn() and dropped(); walked() after a key. If `map.drawing` is true, a drag
 * draws the lasso instead of moving the map.
 */
export function listenOn(stage, view, map) {
  const fingers = new Map();
  let moved = 0;
  let drawing = false;

  const at = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const middle = () => {
    const all = [...fingers.values()];
    return [0, 1].map((axis) => all.reduce((sum, one) => sum + one[axis], 0) / all.length);
  };
  const spread = () => {
    const [one, other] = [...fingers.values()];
    return other ? Math.hypot(one[0] - other[0], one[1] - other[1]) : 0;
  };

  stage.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest("a, button")) return;
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, at(event));
    if (fingers.size === 1) {
      moved = 0;
      drawing = map.drawing || event.shiftKey;
      if (drawing) map.draw(...at(event));
    } else if (drawing) {
      drawing = false; // a second finger makes it a pinch
      map.dropped();
    }
  });

  stage.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) {
      if (event.pointerType === "mouse") map.hover(...at(event));
      return;
    }
    const [before, apart] = [middle(), spread()];
    fingers.set(event.pointerId, at(event));
    const now = middle();
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]) + Math.abs(spread() - apart);
    if (drawing) return map.draw(...now);
    if (moved < SLOP) return;
    if (event.pointerType === "mouse") map.hold(...now);
    if (apart) view.zoomBy(spread() / apart, ...now);
    view.pan(now[0] - before[0], now[1] - before[1]);
  });

  const up = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    if (fingers.size) return;
    if (drawing) map.drawn();
    else if (moved < SLOP) map.tap(...at(event), event);
    drawing = false;
  };
  stage.addEventListener("pointerup", up);
  stage.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    if (drawing) map.dropped();
    drawing = false;
  });
  // A lifted finger also sends this event, but the card of its tap must stay.
  stage.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && map.leave());

  stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      const factor = event.ctrlKey ? PINCHED : WHEEL;
      view.zoomBy(Math.exp(-event.deltaY * lines * factor), ...at(event));
    },
    { passive: false },
  );

  const keys = {
    ArrowLeft: () => view.pan(STRIDE, 0),
    ArrowRight: () => view.pan(-STRIDE, 0),
    ArrowUp: () => view.pan(0, STRIDE),
    ArrowDown: () => view.pan(0, -STRIDE),
    "+": () => view.zoomBy(CLOSER),
    "=": () => view.zoomBy(CLOSER),
    "-": () => view.zoomBy(1 / CLOSER),
    0: () => view.showWhole(),
  };
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation(); // the grid must not handle the key, too
    keys[event.key]();
    map.walked();
  });
}
