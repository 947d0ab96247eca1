// The pages of a share link: arrow keys for the neighbours, full screen.

import { onKey } from "clipsite/base/keyboard";

const stage = document.getElementById("stage");

/** Open a neighbour. It replaces this page in the history, so that "back" returns to the album. */
function follow(relation) {
  const link = document.querySelector(`a[rel=${relation}]`);
  if (link) location.replace(link.href);
  return Boolean(link);
}

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else stage.requestFullscreen();
  return true;
}

function leave() {
  const album = document.querySelector("[data-up]");
  if (!document.fullscreenElement && album) location.assign(album.href);
  return true;
}

if (stage) {
  stage.querySelector("[data-full-screen]").addEventListener("click", toggleFullScreen);
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
