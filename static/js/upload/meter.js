// Measures the speed of growth as a mean over the last seconds, which is smooth and recent.

const WINDOW = 8000; // milliseconds

export class Meter {
  #samples = [];

  /** Add a sample. `total` is the sum so far. */
  note(total, now = performance.now()) {
    this.#samples.push({ total, now });
    while (this.#samples.length > 2 && this.#samples[1].now < now - WINDOW) this.#samples.shift();
  }

  /** The growth per second, or 0 without enough samples. */
  get speed() {
    const [first, last] = [this.#samples.at(0), this.#samples.at(-1)];
    if (!first || last.now === first.now) return 0;
    return Math.max(0, ((last.total - first.total) * 1000) / (last.now - first.now));
  }

  reset() {
    this.#samples = [];
  }
}
