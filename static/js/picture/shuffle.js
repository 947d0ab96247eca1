// A random order for the slideshow: each picture of the list once.

import { ask, NoAnswer } from "clipsite/base/ask";
import { listOf } from "clipsite/picture/walk";

let left = null; // the paths to come, the next one last

/** Begin anew. */
export function shuffleAgain() {
  left = null;
}

/** Resolves to the path after `path`, or to null after the last one. Rejects with NoAnswer. */
export async function drawn(path) {
  left ??= await others(path);
  return left.pop() ?? null;
}

/** The path that comes next, if it is known. */
export const nextDrawn = () => left?.at(-1) ?? null;

async function others(path) {
  const { paths, query } = listOf(path);
  if (paths) return mixed(paths.filter((one) => one !== path));
  const answer = await ask(`${path}shuffled/${query}`);
  if (!answer.ok) throw new NoAnswer(`${answer.status} ${path}`);
  return JSON.parse(answer.text).paths;
}

/**
 * Fisher and Yates.
 * @param {string[]} paths
 */
export function mixed(paths) {
  const all = [...paths];
  for (let last = all.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [all[last], all[other]] = [all[other], all[last]];
  }
  return all;
}
