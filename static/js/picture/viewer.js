// The page of a picture gives way to that of another without leaving the document, so
// that full screen, a slideshow and what was loaded before last.

import { ask, NoAnswer } from "clipsite/base/ask";

// What of the page changes.
const PARTS = ["aside", "similar"];

const pages = new Map(); // path -> promise of the parsed page, or of null

/** Have the page and the picture at `path` at hand. */
export async function preload(path) {
  const page = await load(path);
  const image = page?.querySelector("#stage .fit");
  if (image) await decoded(image);
}

/** Forget pages that are not among `paths`: they may have changed when seen again. */
export function keepOnly(paths) {
  for (const path of pages.keys()) if (!paths.includes(path)) pages.delete(path);
}

/** The parsed page at `path`, or null where there is no picture any more. Throws
 *  NoAnswer where the server does not tell. */
export function load(path) {
  if (!pages.has(path)) pages.set(path, fetchPage(path));
  return pages.get(path);
}

/** Show the picture at `path`, whose page is used up. */
export function show(path, page) {
  pages.delete(path);
  const name = page.querySelector("h1").textContent;
  document.getElementById("view").replaceWith(document.adoptNode(page.getElementById("view")));
  for (const part of PARTS) replace(part, page);
  document.title = page.title;
  history.replaceState(history.state, "", path);
  document.getElementById("shown").textContent = name;
  document.dispatchEvent(new CustomEvent("picture:shown"));
}

function replace(name, page) {
  const part = document.adoptNode(page.querySelector(`.${name}`));
  document.querySelector(`.picture-page > .${name}`).replaceWith(part);
  window.htmx.process(part);
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

/** The same picture at the same size, decoded before it is needed. */
function decoded({ sizes, srcset, src }) {
  const image = new Image();
  Object.assign(image, { sizes, srcset, src });
  return image.decode().catch(() => null); // shown broken, as it is
}
