// What mouse, pen, fingers and keys do on the map.

const SLOP = 6; // pixels that a click may move
const WHEEL = 0.0016;
const PINCHED = 0.01; // a trackpad's pinch comes as a wheel with Ctrl
const STRIDE = 90; // pixels an arrow key moves the map
const CLOSER = 1.5;

/**
 * `map` gets: hover(left, top) and, while it moves the map, hold(left, top) of a mouse,
 * leave(), tap(left, top, event), draw(left, top), drawn(), dropped(), and walked() after
 * a key has moved it; `map.drawing` says that the line of the lasso is drawn instead of
 * moving the map.
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
      drawing = false; // a second finger: it is a pinch
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
  // A finger that is lifted leaves, too: what it tapped at stays.
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
    event.stopPropagation(); // not for the grid's keys, too
    keys[event.key]();
    map.walked();
  });
}
