// The information panel: beside the stage, on phones a sheet above it. Pages are rendered with it as
// it was left, by a cookie: a script would let the picture jump.

const viewer = document.getElementById("viewer");
const COOKIE = "viewer-panel";
const YEAR = 31536000; // seconds
const SHEET = matchMedia("(max-width: 800px)"); // as in picture.css

export const panelIsOpen = () => viewer.classList.contains("with-panel");

/** Whether the panel is open and covers the picture. */
export const sheetIsOpen = () => SHEET.matches && panelIsOpen();

/** Fold the panel away, or show it. */
export function setPanel(open) {
  const hadFocus = document.getElementById("panel").contains(document.activeElement);
  viewer.classList.toggle("with-panel", open);
  if (!SHEET.matches) keep(open);
  sayState();
  if (!open && hadFocus) infoButton().focus({ preventScroll: true });
  viewer.dispatchEvent(new CustomEvent("panel:changed"));
}

/** The state on the button of a bar that has just been loaded. */
export function sayState() {
  infoButton().setAttribute("aria-expanded", String(panelIsOpen()));
}

const infoButton = () => viewer.querySelector("[data-panel][aria-expanded]");

function keep(open) {
  document.cookie = `${COOKIE}=${open ? "open" : "closed"}; path=/; max-age=${YEAR}; samesite=lax`;
}

viewer.addEventListener("click", (event) => {
  if (event.target.closest("[data-panel]")) setPanel(!panelIsOpen());
  if (event.target.closest("[data-edit]")) setPanel(true);
});
