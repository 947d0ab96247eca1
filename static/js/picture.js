// The page of one picture: full screen, neighbours, copy the link.

import { onKey } from "clipsite/keyboard";
import { message } from "clipsite/messages";
import { toast } from "clipsite/toast";
import { leave, neighbour, origin, walk } from "clipsite/walk";

const stage = document.getElementById("stage");

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else stage.requestFullscreen();
  return true;
}

stage.querySelector("[data-full-screen]").addEventListener("click", toggleFullScreen);
onKey("f", toggleFullScreen);

for (const link of stage.querySelectorAll("[data-walk]")) {
  const step = Number(link.dataset.walk);
  const path = neighbour(step);
  if (!path) continue;
  link.href = path;
  link.hidden = false;
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    walk(step);
  });
}

const inGrid = () => document.activeElement?.matches("a[data-tile]");
onKey("ArrowLeft", () => !inGrid() && walk(-1));
onKey("ArrowRight", () => !inGrid() && walk(1));
onKey("e", () => {
  const link = document.querySelector("[data-edit]");
  link?.click();
  return Boolean(link);
});
onKey("Escape", () => {
  if (!document.fullscreenElement) leave();
  return true;
});

document.addEventListener("keydown", (event) => {
  const cancel = document.querySelector("#details [data-cancel]");
  if (event.key === "Escape" && cancel?.closest("form").contains(event.target)) cancel.click();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    toast(message("copied"));
  } catch {
    toast(message("copyFailed")); // not allowed, or not over HTTPS
  }
});

// After deleting, back to the list that the picture was opened from.
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-delete]")) event.target.elements.next.value = pathOf(origin());
});

function pathOf(address) {
  if (!address) return "";
  const { pathname, search } = new URL(address);
  return pathname + search;
}
