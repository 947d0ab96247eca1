// The page of one picture: its stage, its neighbours, its keys.

import { NoAnswer } from "clipsite/base/ask";
import { onKey } from "clipsite/base/keyboard";
import { message } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";
import { noteGone } from "clipsite/grid/place";
import { dropFromStrip, showAround } from "clipsite/picture/filmstrip";
import { enterFullScreen, hideWhenIdle, isFull, leaveFullScreen, toggleFullScreen } from "clipsite/picture/full-screen";
import { listenOn } from "clipsite/picture/gestures";
import { listenForLooks, takeStars } from "clipsite/picture/looks";
import { toggleArchive, toggleFavourite } from "clipsite/picture/marks";
import { panelIsOpen, sayState, setPanel, sheetIsOpen } from "clipsite/picture/panel";
import { drawn, nextDrawn, shuffleAgain } from "clipsite/picture/shuffle";
import { Slideshow } from "clipsite/picture/slideshow";
import "clipsite/picture/to-album";
import { keepOnly, load, preload, show } from "clipsite/picture/viewer";
import { around, forget, leave, moveOn, wayBack } from "clipsite/picture/walk";
import { Zoom } from "clipsite/picture/zoom";
import { call, told as orRefused } from "clipsite/select/api";

const stage = document.getElementById("stage");
const viewer = document.getElementById("viewer");
const zoom = new Zoom(stage);
const slideshow = new Slideshow({
  stage,
  controls: stage.querySelector("[data-slideshow-controls]"),
  next: slideshowGoesOn,
  ended() {
    leaveFullScreen();
    toast(stage.dataset.ended);
  },
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

/** Show another picture of the list, after all earlier requests. Resolves to whether it is there. */
function goTo(path) {
  return inTurn(async () => {
    if (path === location.pathname) return true;
    const page = await load(path);
    if (page) await turnTo(path, page);
    else {
      forget(path);
      dropFromStrip(path);
      await lookAround();
    }
    return Boolean(page);
  });
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

/** Show `page`. `settle` runs when the list knows the new place. */
async function turnTo(path, page, settle = () => {}) {
  const from = location.pathname;
  const button = document.activeElement?.closest("[data-walk]")?.dataset.walk;
  show(path, page);
  moveOn(from, path);
  settle();
  beside = null;
  await lookAround();
  if (button) stage.querySelector(`[data-walk="${button}"]`)?.focus({ preventScroll: true });
}

/** Skip a picture that is gone. */
async function movePast(gone, step) {
  forget(gone);
  dropFromStrip(gone);
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
  const paths = [beside.next, beside.previous, nextDrawn()].filter(Boolean);
  keepOnly(paths);
  Promise.all(paths.map(preload)).catch(() => null); // it is requested again when needed
  showAround(location.pathname);
}

document.addEventListener("picture:shown", () => {
  zoom.reset();
  slideshow.shown();
  sayState();
  if (window.scrollY > stage.offsetHeight / 2) window.scrollTo({ top: 0, behavior: "instant" });
});

// --- The slideshow ------------------------------------------------------------------

async function slideshowGoesOn() {
  if (slideshow.order !== "shuffled") return go(slideshow.order === "backwards" ? -1 : 1);
  return inTurn(async () => {
    for (;;) {
      const path = await drawn(location.pathname);
      const page = path && (await load(path));
      if (page) await turnTo(path, page);
      if (page || !path) return Boolean(page);
    }
  });
}

function toggleSlideshow() {
  if (slideshow.playing) return slideshow.stop();
  shuffleAgain();
  enterFullScreen();
  slideshow.play();
}

function endSlideshow() {
  slideshow.stop();
  leaveFullScreen();
}

stage.addEventListener("slideshow:changed", ({ detail }) => {
  const button = stage.querySelector("[data-slideshow]");
  button.setAttribute("aria-pressed", detail.playing);
  button.title = detail.playing ? button.dataset.pause : button.dataset.play;
  button.setAttribute("aria-label", button.title);
});

document.addEventListener("fullscreenchange", () => {
  zoom.reset();
  if (!isFull()) slideshow.stop();
});
hideWhenIdle(stage);

// --- Deleting -----------------------------------------------------------------------

/** Move the picture to the trash and show the next one. The last one of a list goes with its form:
 *  the list says that it is gone. */
async function remove() {
  const form = document.querySelector("[data-delete]");
  const next = await livingNeighbour();
  if (!next) {
    form.elements.next.value = wayBack();
    return form.submit();
  }
  const gone = location.pathname;
  const id = form.dataset.delete;
  await orRefused(async () => {
    const { undo } = await call("POST", stage.dataset.bulk, { selection: { ids: [id] }, action: "trash" });
    noteGone(id, true);
    let putBack;
    await turnTo(next.path, next.page, () => {
      putBack = forget(gone);
      dropFromStrip(gone);
    });
    toast(stage.dataset.deleted, undo && (() => restore({ id, gone, undo, putBack })));
  });
}

function restore({ id, gone, undo, putBack }) {
  return orRefused(async () => {
    await call("POST", undo);
    noteGone(id, false);
    putBack();
    await goTo(gone);
    toast(stage.dataset.restored);
  });
}

/** Resolves to the {path, page} of the next picture, or else of the one before; null if the picture
 *  is alone. */
async function livingNeighbour() {
  const tried = new Set();
  for (;;) {
    await lookAround();
    const path = beside.next ?? beside.previous;
    if (!path || tried.has(path)) return null;
    const page = await load(path);
    if (page) return { path, page };
    tried.add(path);
    forget(path);
    dropFromStrip(path);
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-delete]")) return;
  event.preventDefault();
  inTurn(remove);
});

// --- Actions on the stage -----------------------------------------------------------

const isPlain = (event) => !(event.ctrlKey || event.metaKey || event.shiftKey);

stage.addEventListener("click", (event) => {
  const { target } = event;
  const link = target.closest("[data-walk], [data-strip], [data-close]");
  if (link && isPlain(event)) {
    event.preventDefault();
    if (link.dataset.walk) go(Number(link.dataset.walk));
    else if (link.dataset.strip) goTo(link.dataset.strip);
    else leave();
  }
  if (target.closest("[data-full-screen]")) toggleFullScreen();
  if (target.closest("[data-slideshow], [data-slideshow-start]")) toggleSlideshow();
  if (target.closest("[data-slideshow-close]")) endSlideshow();
  if (target.closest("[data-to-similar]")) showSimilar();
  if (target.closest("[data-play-file]")) playFile(target.closest("[data-play-file]"));
  // An entry of the menu closes it.
  if (target.closest(".viewer-menu .menu-item")) document.getElementById("viewer-more").hidePopover();
});

/** Scroll without a new entry in the history: "back" leads to the grid. */
function showSimilar() {
  const title = document.getElementById("similar-title");
  title.scrollIntoView();
  title.focus({ preventScroll: true });
}

/** Show the file itself, which moves, in place of its first frame. */
function playFile(button) {
  zoom.image.removeAttribute("srcset");
  zoom.image.src = zoom.image.dataset.full;
  button.hidden = true;
}

listenOn(stage, zoom, go);
viewer.addEventListener("panel:changed", () => zoom.reset());

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
/** Press a control of the bar. Returns true if the viewer has it. */
const press = (selector) => ({ repeat }) => {
  const control = document.querySelector(selector);
  if (control && !repeat) control.click();
  return Boolean(control);
};

onKey("ArrowLeft", walkOrPan(-1));
onKey("ArrowRight", walkOrPan(1));
onKey("ArrowUp", panUpOrDown(-1));
onKey("ArrowDown", panUpOrDown(1));
onKey("f", toggleFullScreen);
onKey("i", () => (setPanel(!panelIsOpen()), true));
onKey("l", toggleFavourite);
onKey("a", toggleArchive);
onKey("e", press("[data-edit]"));
onKey("s", press(".viewer-bar [data-share]"));
onKey("Delete", (event) => !inGrid() && press("[data-delete] button")(event));
onKey("+", () => (zoom.closer(), true));
onKey("=", () => (zoom.closer(), true));
onKey("-", () => (zoom.further(), true));
onKey("0", () => (zoom.zoomed ? (zoom.reset(), true) : takeStars()));
onKey(" ", () => !onControl() && (toggleSlideshow(), true));
onKey("Escape", () => {
  if (zoom.zoomed) zoom.reset();
  else if (slideshow.playing) slideshow.stop();
  else if (sheetIsOpen()) setPanel(false);
  else if (!isFull()) leave();
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
  toast(message("copied"));
});

/** Show the picture of the page as it is now, also in the filmstrip. */
listenForLooks(() =>
  inTurn(async () => {
    const path = location.pathname;
    const page = await load(path);
    if (!page) return;
    dropFromStrip(path);
    show(path, page);
    await lookAround();
  }),
);

inTurn(lookAround);
