// The page of one picture: its stage, its neighbours, its keys.

import { NoAnswer } from "clipsite/base/ask";
import { listenOn } from "clipsite/picture/gestures";
import { onKey } from "clipsite/base/keyboard";
import { toggleArchive, toggleFavourite } from "clipsite/picture/marks";
import { message } from "clipsite/base/messages";
import "clipsite/picture/to-album";
import { Slideshow } from "clipsite/picture/slideshow";
import { toast } from "clipsite/base/toast";
import { keepOnly, load, preload, show } from "clipsite/picture/viewer";
import { around, forget, leave, moveOn, wayBack } from "clipsite/picture/walk";
import { Zoom } from "clipsite/picture/zoom";

const stage = document.getElementById("stage");
const zoom = new Zoom(stage);
const slideshow = new Slideshow({
  stage,
  controls: stage.querySelector("[data-slideshow-controls]"),
  next: () => go(1),
  ended: () => toast(stage.dataset.ended),
});

// --- Neighbours -------------------------------------------------------------------

let beside = null; // {previous, next}: paths or null; null itself while unknown
let last = Promise.resolve(); // the last request
let waiting = 0;

/** Show the next or previous picture, after all earlier requests. Resolves to whether there is
 *  one. */
function go(step) {
  return inTurn(() => move(step));
}

function inTurn(work) {
  waiting += 1;
  const done = last.then(() => told(work)).finally(() => (waiting -= 1));
  last = done.catch(() => null); // a failure concerns its caller, not the next request
  return done;
}

async function told(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    toast(message("network"));
    return true; // there may be a picture: a slideshow tries again
  }
}

async function move(step) {
  if (!beside) await lookAround();
  const path = step > 0 ? beside.next : beside.previous;
  const page = path && (await load(path));
  if (page) await turnTo(path, page);
  return page ? true : Boolean(path) && movePast(path, step);
}

async function turnTo(path, page) {
  const from = location.pathname;
  const button = document.activeElement?.closest("[data-walk]")?.dataset.walk;
  show(path, page);
  moveOn(from, path);
  beside = null;
  await lookAround();
  if (button) stage.querySelector(`[data-walk="${button}"]`)?.focus({ preventScroll: true });
}

/** Skip a picture that is gone. */
async function movePast(gone, step) {
  forget(gone);
  await lookAround();
  const path = step > 0 ? beside.next : beside.previous;
  return path === gone ? false : move(step);
}

async function lookAround() {
  beside = await around(location.pathname);
  for (const link of stage.querySelectorAll("[data-walk]")) {
    const path = Number(link.dataset.walk) > 0 ? beside.next : beside.previous;
    link.hidden = !path;
    if (path) link.href = path;
  }
  const paths = [beside.next, beside.previous].filter(Boolean);
  keepOnly(paths);
  Promise.all(paths.map(preload)).catch(() => null); // it is requested again when needed
}

document.addEventListener("picture:shown", () => {
  zoom.reset();
  slideshow.shown();
  if (window.scrollY > stage.offsetHeight / 2) window.scrollTo({ top: 0, behavior: "instant" });
});

// --- Actions on the stage -----------------------------------------------------------

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else stage.requestFullscreen();
  return true;
}

document.addEventListener("fullscreenchange", () => {
  zoom.reset();
  if (!document.fullscreenElement) slideshow.stop();
});

stage.addEventListener("click", (event) => {
  const control = event.target.closest("[data-walk], [data-full-screen], [data-slideshow]");
  if (!control || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (control.dataset.walk) {
    event.preventDefault();
    go(Number(control.dataset.walk));
  } else if ("fullScreen" in control.dataset) toggleFullScreen();
  else slideshow.toggle();
});

stage.addEventListener("slideshow:changed", ({ detail }) => {
  const button = stage.querySelector("[data-slideshow]");
  button.setAttribute("aria-pressed", detail.playing);
  button.title = detail.playing ? button.dataset.pause : button.dataset.play;
  button.setAttribute("aria-label", button.title);
});

listenOn(stage, zoom, go);

// --- Keys ---------------------------------------------------------------------------

const inGrid = () => document.activeElement?.matches("a[data-tile]");
const onControl = () => document.activeElement?.matches("button, summary, select, [role=slider]");
const PAN = 80; // pixels

const walkOrPan = (step) => ({ repeat }) => {
  if (inGrid()) return false;
  if (zoom.zoomed) zoom.pan(-step * PAN, 0);
  // A held key moves on as fast as pictures load, and stops when it is released.
  else if (!repeat || !waiting) go(step);
  return true;
};
const panUpOrDown = (step) => () => zoom.zoomed && (zoom.pan(0, -step * PAN), true);

onKey("ArrowLeft", walkOrPan(-1));
onKey("ArrowRight", walkOrPan(1));
onKey("ArrowUp", panUpOrDown(-1));
onKey("ArrowDown", panUpOrDown(1));
onKey("f", toggleFullScreen);
onKey("l", toggleFavourite);
onKey("a", toggleArchive);
onKey("+", () => (zoom.closer(), true));
onKey("=", () => (zoom.closer(), true));
onKey("-", () => (zoom.further(), true));
onKey("0", () => (zoom.reset(), true));
onKey(" ", () => !onControl() && (slideshow.toggle(), true));
onKey("e", () => {
  const link = document.querySelector("[data-edit]");
  link?.click();
  return Boolean(link);
});
onKey("Escape", () => {
  if (zoom.zoomed) zoom.reset();
  else if (slideshow.playing) slideshow.stop();
  else if (!document.fullscreenElement) leave();
  return true;
});

document.addEventListener("keydown", (event) => {
  const cancel = document.querySelector("#details [data-cancel]");
  if (event.key === "Escape" && cancel?.closest("form").contains(event.target)) cancel.click();
});

// --- Beside the stage -----------------------------------------------------------------

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    return toast(message("copyFailed")); // not allowed, or not over HTTPS
  }
  // If others cannot open the address, offer to share the picture.
  const { copied, offer } = button.dataset;
  const share = () => document.querySelector("#details [data-share]").click();
  toast(copied, offer && { label: offer, run: share });
});

// After a deletion, return to the list from which the picture was opened.
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-delete]")) event.target.elements.next.value = wayBack();
});

inTurn(lookAround);
