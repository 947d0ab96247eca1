// Dragging the items of a list to another place. A mouse drags at once; a finger must rest first,
// so that it can still scroll the page.

const REST = 300; // ms
const SLOP = 6; // px
const EDGE = 90; // px at the top and the bottom of the window where a drag scrolls it
const SPEED = 14; // px a frame

/** Make a list sortable. `begin()` is called at the start of a drag, `dropped(item, former)` when
 *  the item has another place. Its old place was before `former`. With a `handle`, a selector, only
 *  this part of an item drags it; `inRows` says that items are below one another. */
export function sortable(list, { begin, dropped, handle = "li", inRows = false }) {
  let held = null; // {item, start, former, pointer, dragging, timer}

  list.addEventListener("pointerdown", (event) => {
    const item = event.target.closest(handle)?.closest("li");
    if (!item || event.button) return;
    const start = { x: event.clientX, y: event.clientY };
    held = { item, start, former: item.nextElementSibling, pointer: event, dragging: false };
    if (event.pointerType === "touch") held.timer = setTimeout(take, REST);
  });

  window.addEventListener("pointermove", (event) => {
    if (!held || event.pointerId !== held.pointer.pointerId) return;
    held.pointer = event;
    const far = Math.hypot(event.clientX - held.start.x, event.clientY - held.start.y) > SLOP;
    if (!held.dragging && far && event.pointerType !== "touch") take();
    if (!held.dragging && far) letGo(); // a finger that scrolls
    if (held?.dragging) follow();
  });

  // Once an item is held, the finger no longer scrolls.
  list.addEventListener("touchmove", (event) => held?.dragging && event.preventDefault(), { passive: false });
  list.addEventListener("contextmenu", (event) => held?.dragging && event.preventDefault());
  window.addEventListener("pointerup", () => held && finish());
  window.addEventListener("pointercancel", () => held && cancel());
  window.addEventListener("keydown", (event) => event.key === "Escape" && held?.dragging && cancel(), true);

  function take() {
    begin();
    held.dragging = true;
    held.item.classList.add("dragging");
    navigator.vibrate?.(10);
    scroll();
    // The click at the end of a drag must do nothing.
    window.addEventListener("click", swallow, { capture: true, once: true });
  }

  function swallow(event) {
    event.preventDefault();
    event.stopPropagation();
  }

  /** Move the item to the pointer. */
  function follow() {
    const { item, pointer } = held;
    item.style.pointerEvents = "none";
    const over = document.elementFromPoint(pointer.clientX, pointer.clientY)?.closest("li");
    item.style.pointerEvents = "";
    if (!over || over === item || over.parentElement !== list) return;
    const box = over.getBoundingClientRect();
    const behind = inRows
      ? pointer.clientY > box.top + box.height / 2
      : pointer.clientX > box.left + box.width / 2;
    list.insertBefore(item, behind ? over.nextElementSibling : over);
  }

  function scroll() {
    if (!held?.dragging) return;
    const { clientY } = held.pointer;
    if (clientY < EDGE) window.scrollBy(0, -SPEED);
    else if (clientY > window.innerHeight - EDGE) window.scrollBy(0, SPEED);
    requestAnimationFrame(scroll);
  }

  function letGo() {
    clearTimeout(held.timer);
    held.item.classList.remove("dragging");
    held = null;
    // If no click follows (the pointer left the item), a later click must not be swallowed.
    setTimeout(() => window.removeEventListener("click", swallow, { capture: true }));
  }

  function finish() {
    const { item, former, dragging } = held;
    letGo();
    if (dragging && item.nextElementSibling !== former) dropped(item, former);
  }

  function cancel() {
    list.insertBefore(held.item, held.former);
    letGo();
  }
}
