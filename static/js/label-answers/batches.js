// The twelve pictures that are asked now, those before them and those after them.

/**
 * @typedef {"yes" | "no" | "skip" | ""} Said
 *
 * `reason` tells whether it was drawn at random or lies near the line.
 * @typedef {{
 *   image: string, src: string, large: string, name: string,
 *   reason: "sample" | "uncertain", said?: Said,
 * }} Item
 */

/** One of so many questions is of the random sample, as the server asks them. */
const SAMPLED = 3;

export class Batches {
  /** @type {Item[][]} */
  all = [];
  place = 0; // of the batch that is shown
  at = 0; // of the picture in it
  #seen = new Set();
  #history = []; // {batch, at, before}

  constructor(size = 12) {
    this.size = size;
  }

  /** The pictures that are shown. */
  get current() {
    return this.all[this.place] ?? [];
  }

  get item() {
    return this.current[this.at];
  }

  get hasNext() {
    return this.place + 1 < this.all.length;
  }

  get isDone() {
    return this.current.length > 0 && this.current.every((item) => item.said);
  }

  get open() {
    return this.current.filter((item) => !item.said).length;
  }

  get canUndo() {
    return this.#history.length > 0;
  }

  /** How many questions the server may give again although the page has shown them: those without
   * an answer. */
  get unanswered() {
    return this.all.flat().filter((item) => item.said !== "yes" && item.said !== "no").length;
  }

  /** Take a batch out of questions. Returns how many pictures it has: none if all are known.
   * @param {Item[]} items */
  add(items) {
    const fresh = items.filter((item) => !this.#seen.has(item.image));
    const sampled = fresh.filter((item) => item.reason === "sample");
    const telling = fresh.filter((item) => item.reason !== "sample");
    const drawn = sampled.slice(0, Math.max(Math.floor(this.size / SAMPLED), this.size - telling.length));
    const batch = [...telling.slice(0, this.size - drawn.length), ...drawn];
    for (const item of batch) this.#seen.add(item.image);
    if (batch.length) this.all.push(batch.map((item) => ({ ...item, said: "" })));
    return batch.length;
  }

  /** Answer the picture at hand and go on to the next open one. Returns the picture.
   * @param {Said} said */
  say(said) {
    const { item } = this;
    if (!item) return null;
    this.#history.push({ batch: this.place, at: this.at, before: item.said });
    item.said = said;
    this.#goOn();
    return item;
  }

  /** Answer all pictures of the batch that are open. Returns these.
   * @param {Said} said */
  sayRest(said) {
    const rest = this.current.filter((item) => !item.said);
    for (const item of rest) {
      this.at = this.current.indexOf(item);
      this.say(said);
    }
    return rest;
  }

  /** Take the last answer back and go to its picture. Returns {item, was}, or null. */
  undo() {
    const last = this.#history.pop();
    if (!last) return null;
    this.place = last.batch;
    this.at = last.at;
    const { item } = this;
    const was = item.said;
    item.said = last.before;
    return { item, was };
  }

  /** Show the next batch. Returns whether there is one. */
  next() {
    if (!this.hasNext) return false;
    this.place += 1;
    this.at = Math.max(this.current.findIndex((item) => !item.said), 0);
    return true;
  }

  go(at) {
    this.at = Math.min(Math.max(at, 0), this.current.length - 1);
  }

  #goOn() {
    const after = this.current.findIndex((item, place) => place > this.at && !item.said);
    const first = this.current.findIndex((item) => !item.said);
    const next = after >= 0 ? after : first;
    if (next >= 0) this.at = next;
  }
}
