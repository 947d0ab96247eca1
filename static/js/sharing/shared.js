// The pages of a share link: arrow keys for the neighbours, full screen.

import { onKey } from "clipsite/base/keyboard";
import { isFull, hideWhenIdle, toggleFullScreen } from "clipsite/picture/full-screen";

const stage = document.getElementById("stage");

/** Open a neighbour. It replaces this page in the history, so that "back" returns to the album. */
function follow(relation) {
  const link = document.querySelector(`a[rel=${relation}]`);
  if (link) location.replace(link.href);
  return Boolean(link);
}

function leave() {
  const album = document.querySelector("[data-up]");
  if (!isFull() && album) location.assign(album.href);
  return true;
}

/** Put the current picture in the middle of the row. */
function centreStrip(row) {
  const current = row.querySelector("[aria-current]").closest("li");
  row.scrollLeft = current.offsetLeft + (current.offsetWidth - row.clientWidth) / 2;
}

if (stage) {
  stage.querySelector("[data-full-screen]").addEventListener("click", toggleFullScreen);
  hideWhenIdle(stage);
  const row = stage.querySelector(".filmstrip ol");
  if (row) centreStrip(row);
  onKey("f", toggleFullScreen);
  onKey("ArrowLeft", () => follow("prev"));
  onKey("ArrowRight", () => follow("next"));
  onKey("Escape", leave);
  stage.addEventListener("click", (event) => {
    const link = event.target.closest("[data-replace]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    location.replace(link.href);
  });
}
