// Whether the last input was by a pointer, also on the page before. Then the focus that a script
// sets shows no ring (css/grid.css); a browser does not know this of a page that it has just loaded.

const KEY = "by-pointer";
const { classList } = document.documentElement;

const note = (isPointer) => classList.toggle(KEY, isPointer);

function recall() {
  try {
    note(sessionStorage.getItem(KEY) === "yes");
  } catch {
    note(false); // storage is forbidden
  }
}

function store() {
  try {
    sessionStorage.setItem(KEY, classList.contains(KEY) ? "yes" : "no");
  } catch {
    // Storage is forbidden: the ring is shown.
  }
}

addEventListener("pointerdown", () => note(true), true);
addEventListener("keydown", () => note(false), true);
addEventListener("pagehide", store);
// Also when the browser has kept the page.
addEventListener("pageshow", recall);
recall();
