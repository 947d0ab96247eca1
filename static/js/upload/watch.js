// Polls the states of uploaded pictures until each is ready or failed. The pauses grow while
// nothing changes.

const CHUNK = 100;
const SOONEST = 1000;
const LATEST = 15000;

/** `settled(id, image)` is called once for each picture, with the API's image or, if it was
 * deleted, with undefined. */
export class Watch {
  #ids = new Set();
  #waits = false;
  #wait = SOONEST;

  constructor(url, settled) {
    this.url = url;
    this.settled = settled;
  }

  add(id) {
    this.#ids.add(id);
    this.#wait = SOONEST;
    if (!this.#waits) this.#askLater();
  }

  #askLater() {
    this.#waits = true;
    setTimeout(() => this.#ask(), this.#wait);
  }

  async #ask() {
    const before = this.#ids.size;
    const ids = [...this.#ids];
    for (let start = 0; start < ids.length; start += CHUNK) {
      await this.#askFor(ids.slice(start, start + CHUNK));
    }
    this.#wait = this.#ids.size < before ? SOONEST : Math.min(this.#wait * 1.5, LATEST);
    if (this.#ids.size) this.#askLater();
    else this.#waits = false;
  }

  async #askFor(ids) {
    const query = new URLSearchParams(ids.map((id) => ["id", id]));
    query.set("limit", String(CHUNK));
    try {
      const answer = await fetch(`${this.url}?${query}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const images = new Map((await answer.json()).results.map((image) => [image.id, image]));
      for (const id of ids) {
        if (images.get(id)?.state === "pending") continue;
        this.#ids.delete(id);
        this.settled(id, images.get(id));
      }
    } catch {
      // Without an answer, the next round asks again after a longer pause.
    }
  }
}
