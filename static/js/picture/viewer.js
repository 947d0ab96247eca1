// Replaces the page of a picture by that of another one within the same document, so that full
// screen, a slideshow and preloaded pictures continue.

import { ask, NoAnswer } from "clipsite/base/ask";

// The parts of the page that are replaced.
const PARTS = ["viewer-bar", "stage-view", "info-panel", "similar"];
// What stays open or shut from picture to picture.
const FOLDS = ".more-facts, #classify";

const pages = new Map(); // path -> promise of the parsed page, or of null

/** Load the page and the picture at `path` in advance. */
export async function preload(path) {
  const page = await load(path);
  const image = page?.querySelector("#stage .fit");
  if (image) await decoded(image);
}

/** Drop pages that are not among `paths`: they may have changed by the next visit. */
export function keepOnly(paths) {
  for (const path of pages.keys()) if (!paths.includes(path)) pages.delete(path);
}

/** Resolves to the parsed page at `path`, or to null if the picture is gone. Rejects with NoAnswer
 *  if the server does not answer. */
export function load(path) {
  if (!pages.has(path)) pages.set(path, fetchPage(path));
  return pages.get(path);
}

/** Show the picture at `path`. This consumes its loaded page. */
export function show(path, page) {
  pages.delete(path);
  const name = page.querySelector("h1").textContent;
  const control = document.activeElement?.closest("[data-control]")?.dataset.control;
  keepFolds(page);
  for (const part of PARTS) replace(part, page);
  if (control) document.querySelector(`[data-control="${control}"]`)?.focus({ preventScroll: true });
  document.title = page.title;
  history.replaceState(history.state, "", path);
  document.getElementById("shown").textContent = name;
  document.dispatchEvent(new CustomEvent("picture:shown"));
}

function replace(name, page) {
  const part = document.adoptNode(page.querySelector(`.${name}`));
  document.querySelector(`#viewer .${name}`).replaceWith(part);
  window.htmx.process(part);
}

function keepFolds(page) {
  const folds = document.querySelectorAll(FOLDS);
  page.querySelectorAll(FOLDS).forEach((fold, at) => (fold.open = folds[at]?.open ?? fold.open));
}

async function fetchPage(path) {
  try {
    const answer = await ask(path, { headers: { Accept: "text/html" } });
    if (answer.status === 404) return null;
    if (!answer.ok) throw new NoAnswer(`${answer.status} ${path}`);
    return new DOMParser().parseFromString(answer.text, "text/html");
  } catch (error) {
    pages.delete(path);
    throw error;
  }
}

/** Decode a picture at the size of the page before it is needed. */
function decoded({ sizes, srcset, src }) {
  const image = new Image();
  Object.assign(image, { sizes, srcset, src });
  return image.decode().catch(() => null); // a broken picture is shown as broken
}
