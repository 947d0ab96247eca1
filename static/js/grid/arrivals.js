// Parts of a grid that are asked for when they come near and given up when they are
// left behind before they have come.

import { NoAnswer } from "clipsite/base/ask";
import { fetchTiles, keep } from "clipsite/grid/chunks";
import { message } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";

// A part that is passed within so many milliseconds is not asked for.
const PATIENCE = 70;

export class Arrivals {
  /** `arrived(chunk, tiles)` takes a part; `failed()` hears that one will not come. */
  constructor({ arrived, failed }) {
    this.arrived = arrived;
    this.failed = failed;
    this.controls = new Map();
  }

  /** From now on these parts are near, and no others. */
  want(chunks) {
    const missing = new Set(chunks.filter((chunk) => !chunk.markup));
    chunks.filter((chunk) => chunk.markup).forEach(keep);
    for (const [chunk, control] of this.controls) if (!missing.has(chunk)) control.abort();
    for (const chunk of missing) if (!this.controls.has(chunk)) this.#ask(chunk);
  }

  async #ask(chunk) {
    const control = new AbortController();
    this.controls.set(chunk, control);
    const tiles = await this.#fetch(chunk, control.signal);
    if (this.controls.get(chunk) === control) this.controls.delete(chunk);
    if (tiles) this.arrived(chunk, tiles);
  }

  /** The tiles of a part, or null where it was passed by or does not come. */
  async #fetch(chunk, signal) {
    try {
      await pause(PATIENCE, signal);
      return (await fetchTiles(chunk.address, signal)).tiles;
    } catch (error) {
      if (error.name === "AbortError") return null;
      if (!(error instanceof NoAnswer)) throw error;
      toast(message("network"));
      this.failed();
      return null;
    }
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("passed by", "AbortError"));
    });
  });
}
