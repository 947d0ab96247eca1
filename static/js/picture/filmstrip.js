// The row of small pictures below the stage: the neighbours in the list from which the picture was
// opened.

import { ask, NoAnswer } from "clipsite/base/ask";
import { listOf } from "clipsite/picture/walk";

const SHOWN = 12; // pictures on either side
const AHEAD = 6; // with fewer loaded on a side, more are requested
const MOST = 18; // requested on either side

const strip = document.getElementById("filmstrip");
const row = strip.querySelector("ol");

/** path -> its element, or null if the viewer may not see the picture. */
const items = new Map();
/** What the server told of a list that only it knows; `open` tells at which ends it goes on. */
let told = { paths: [], query: null, open: { before: false, after: false } };
let turn = 0;

/** Show the pictures around `path`. Without an answer the row stays as it is. */
export async function showAround(path) {
  const mine = ++turn;
  try {
    const paths = await pathsAround(path);
    if (mine === turn) draw(path, paths);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
  }
}

/** Take a deleted picture out. */
export function dropFromStrip(path) {
  items.delete(path);
  told.paths = told.paths.filter((one) => one !== path);
}

async function pathsAround(path) {
  const { paths, query } = listOf(path);
  if (!paths) return slice(await askedOf(path, query), path, SHOWN);
  if (missing(slice(paths, path, AHEAD)).length) {
    const ids = missing(slice(paths, path, MOST)).map((one) => one.split("/").at(-2));
    await request(path, `?ids=${ids.join(",")}`);
    for (const one of missing(slice(paths, path, MOST))) items.set(one, null);
  }
  return slice(paths, path, SHOWN);
}

/** Resolves to the part of a list on the server that contains `path`. */
async function askedOf(path, query) {
  const at = query === told.query ? told.paths.indexOf(path) : -1;
  const ends = at < AHEAD && told.open.before;
  const endsAfter = told.paths.length - at <= AHEAD && told.open.after;
  if (at < 0 || ends || endsAfter) {
    const { paths, around } = await request(path, query);
    const here = paths.indexOf(path);
    const open = { before: here >= around, after: paths.length - 1 - here >= around };
    told = { paths, query, open };
  }
  return told.paths;
}

async function request(path, query) {
  const answer = await ask(`${path}filmstrip/${query}`);
  if (!answer.ok) throw new NoAnswer(`${answer.status} ${path}`);
  const { pictures, around } = JSON.parse(answer.text);
  for (const picture of pictures) if (!items.get(picture.path)) items.set(picture.path, made(picture));
  return { paths: pictures.map((picture) => picture.path), around };
}

const missing = (paths) => paths.filter((path) => !items.has(path));

/**
 * The paths up to `reach` places before and after `path`.
 * @param {string[]} paths
 * @param {string} path
 * @param {number} reach
 */
function slice(paths, path, reach) {
  const at = paths.indexOf(path);
  return paths.slice(Math.max(0, at - reach), at + reach + 1);
}

function made({ path, src, name }) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = path;
  link.dataset.strip = path;
  const image = new Image(56, 56);
  Object.assign(image, { loading: "lazy", decoding: "async", alt: name, src });
  link.append(image);
  item.append(link);
  return item;
}

function draw(path, paths) {
  const hadFocus = strip.contains(document.activeElement);
  const shown = paths.map((one) => items.get(one)).filter(Boolean);
  row.replaceChildren(...shown);
  for (const item of shown) {
    const link = item.querySelector("a");
    const current = link.dataset.strip === path;
    // One stop of the Tab key: arrow keys go on from picture to picture.
    link.tabIndex = current ? 0 : -1;
    if (current) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    if (current && hadFocus) link.focus({ preventScroll: true });
  }
  strip.hidden = shown.length < 2;
  centre();
}

function centre() {
  const current = row.querySelector("[aria-current]")?.closest("li");
  if (current) row.scrollLeft = current.offsetLeft + (current.offsetWidth - row.clientWidth) / 2;
}

new ResizeObserver(centre).observe(row);
