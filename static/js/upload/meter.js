// How fast something grows: over the last seconds, so that it neither jumps nor
// remembers yesterday.

const WINDOW = 8000; // milliseconds

export class Meter {
  #samples = [];

  /** `total` is the sum so far. */
  note(total, now = performance.now()) {
    this.#samples.push({ total, now });
    while (this.#samples.length > 2 && this.#samples[1].now < now - WINDOW) this.#samples.shift();
  }

  /** Per second; 0 while there is nothing to tell. */
  get speed() {
    const [first, last] = [this.#samples.at(0), this.#samples.at(-1)];
    if (!first || last.now === first.now) return 0;
    return Math.max(0, ((last.total - first.total) * 1000) / (last.now - first.now));
  }

  reset() {
    this.#samples = [];
  }
}
