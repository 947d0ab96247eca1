// The way from a grid to a picture, its neighbours, and back to the grid. The list is stored for
// this tab. Neighbours replace one another in the history, so that "back" returns to the grid at
// its old scroll position.

import { ask } from "clipsite/base/ask";
import { fetchTiles } from "clipsite/grid/chunks";
import { announceReturn, noteSeen } from "clipsite/grid/place";
import { gridOf } from "clipsite/grid/virtual";

const KEY = "walk";
// The most addresses of unloaded parts of the list that are kept on either side.
const LIMIT = 200;

/** Store the list from which a tile is opened. */
export function remember(tile) {
  const list = tile.closest("[data-grid]");
  if (!list) return;
  const listed = list.dataset.parts ? { timeline: location.search } : listAround(list, tile);
  save({ from: location.href, at: tile.getAttribute("href"), ...listed });
}

/** Return the known pictures around a tile and the addresses of the other parts. */
function listAround(list, tile) {
  const { chunks, next, folds } = gridOf(list);
  const { id } = tile.closest("li").dataset;
  const at = chunks.list.findIndex((chunk) => chunk.ids?.includes(id));
  let first = at;
  let last = at;
  while (chunks.list[first - 1]?.ids) first -= 1;
  while (chunks.list[last + 1]?.ids) last += 1;
  const ids = chunks.list.slice(first, last + 1).flatMap((chunk) => chunk.ids);
  const addresses = (parts) => parts.map((chunk) => chunk.address).filter(Boolean);
  return {
    paths: ids.map((one) => tile.getAttribute("href").replace(id, one)),
    before: addresses(chunks.list.slice(0, first)).slice(-LIMIT),
    after: [...addresses(chunks.list.slice(last + 1)), ...(next && !folds ? [next] : [])].slice(0, LIMIT),
  };
}

/** Resolves to {previous, next}: the paths of the neighbours of `path`, or null. Rejects with
 *  NoAnswer if the server is needed and does not answer. */
export async function around(path) {
  const walk = recall(path);
  if (walk?.timeline !== undefined) return askServer(path, walk.timeline);
  if (!walk?.paths.includes(path)) return brought();
  await extend(walk, path);
  const at = walk.paths.indexOf(path);
  return { previous: walk.paths[at - 1] ?? null, next: walk.paths[at + 1] ?? null };
}

/** Return the list around `path`: its known {paths}, or the {query} by which the server knows it. */
export function listOf(path) {
  const walk = recall(path);
  if (walk?.timeline !== undefined) return { query: walk.timeline };
  return walk?.paths.includes(path) ? { paths: walk.paths } : { query: "?list=owner" };
}

/** Store the step from one picture to another one in the same list. */
export function moveOn(from, to) {
  const walk = recall(from);
  if (!walk) return;
  noteSeen(pathOf(walk.from), to);
  save({ ...walk, at: to });
}

/** Remove a deleted picture from the list. Returns a function that puts it back. */
export function forget(path) {
  const walk = read();
  if (!walk?.paths) return () => null;
  save({ ...walk, paths: walk.paths.filter((one) => one !== path) });
  return () => save(walk);
}

/** Go back to the grid from which the picture was opened, or else to the home page. */
export function leave() {
  const from = recall(location.pathname)?.from;
  if (from && history.length > 1) history.back();
  else location.assign(from ?? document.body.dataset.home);
}

/** Return the path to show after the deletion of the picture, or "". */
export function wayBack() {
  const from = recall(location.pathname)?.from;
  if (!from) return "";
  announceReturn(pathOf(from));
  return pathOf(from);
}

/** Return the stored list if `path` belongs to it, else null. */
function recall(path) {
  const walk = read();
  if (!walk) return null;
  const belongs = walk.paths?.includes(path) || walk.at === path;
  return belongs ? walk : null;
}

/** At an end of the known pictures, load the next part. */
async function extend(walk, path) {
  if (path === walk.paths.at(-1) && walk.after.length) {
    const [address, ...after] = walk.after;
    const { tiles, more, folds } = await fetchTiles(address);
    walk.paths = distinct([...walk.paths, ...pathsOf(tiles)]);
    walk.after = after.length || !more || folds ? after : [more];
    save(walk);
  } else if (path === walk.paths[0] && walk.before.length) {
    const { tiles } = await fetchTiles(walk.before.at(-1));
    walk.paths = distinct([...pathsOf(tiles), ...walk.paths]);
    walk.before = walk.before.slice(0, -1);
    save(walk);
  }
}

const pathsOf = (tiles) => {
  return tiles.map((tile) => tile.querySelector("a[data-tile]").getAttribute("href"));
};
const distinct = (paths) => [...new Set(paths)];

async function askServer(path, query) {
  const answer = await ask(`${path}neighbours/${query}`);
  return answer.ok ? JSON.parse(answer.text) : brought();
}

/** Return the neighbours that the page itself names. */
function brought() {
  const pathTo = (step) => {
    return document.querySelector(`[data-walk="${step}"]`)?.dataset.path || null;
  };
  return { previous: pathTo(-1), next: pathTo(1) };
}

function pathOf(address) {
  const { pathname, search } = new URL(address);
  return pathname + search;
}

function save(walk) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(walk));
  } catch {
    // Storage is full or forbidden: the page itself names its neighbours.
  }
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}
