// Loads parts of a grid when they come near, and cancels requests of parts that are passed before
// they arrive.

import { NoAnswer } from "clipsite/base/ask";
import { fetchTiles, keep } from "clipsite/grid/chunks";
import { message } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";

// A part that is passed within this time (milliseconds) is not requested.
const PATIENCE = 70;

export class Arrivals {
  /** `arrived(chunk, tiles)` takes a part. `failed()` is called when a part cannot be loaded. */
  constructor({ arrived, failed }) {
    this.arrived = arrived;
    this.failed = failed;
    this.controls = new Map();
  }

  /** Load these parts and cancel all other requests. */
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

  /** Resolves to the tiles of a part, or to null if it was cancelled or cannot be loaded. */
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
