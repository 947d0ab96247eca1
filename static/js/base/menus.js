// Menus, which are popovers: the focus enters, arrow keys move it, and it returns to the button when
// the menu closes (which the browser does, as for Escape).

const ITEMS = "a[href], button:enabled";
const STEPS = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };

const itemsOf = (menu) =>
  /** @type {HTMLElement[]} */ ([...menu.querySelectorAll(ITEMS)]).filter((item) => item.checkVisibility());

/** Tell on the buttons of a menu whether it is open. */
function tell(menu, isOpen) {
  for (const button of document.querySelectorAll(`[popovertarget="${menu.id}"]`)) {
    button.setAttribute("aria-expanded", String(isOpen));
  }
}

// Toggle events do not bubble.
document.addEventListener(
  "toggle",
  ({ target: menu, newState }) => {
    if (!menu.matches?.(".menu[popover]")) return;
    const isOpen = newState === "open";
    tell(menu, isOpen);
    if (isOpen && !menu.contains(document.activeElement)) itemsOf(menu)[0]?.focus();
  },
  true,
);

document.addEventListener("keydown", (event) => {
  const menu = document.querySelector(".menu:popover-open");
  const step = STEPS[event.key];
  if (!menu || !step || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, select, textarea")) return;
  const items = itemsOf(menu);
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const last = items.length - 1;
  const wanted = Number.isFinite(step) ? (at < 0 && step < 0 ? last : (at + step + items.length) % items.length) : step < 0 ? 0 : last;
  event.preventDefault();
  items[wanted]?.focus();
});
