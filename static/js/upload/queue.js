// The queue of uploads: which file is in which state, and a few at a time on
// their way. It draws nothing; `changed(item)` is called after every change.
//
// waiting -> uploading -> pending -> ready
//                      -> ready | duplicate | failed       cancelled

import { fill } from "clipsite/messages";
import { send } from "clipsite/upload/send";
import { Watch } from "clipsite/upload/watch";

const AT_ONCE = 3;
const MEGABYTE = 1024 * 1024;

export class Queue {
  items = [];
  counts = {};
  #next = 0;
  #again = [];
  #active = 0;
  #pausedUntil = 0;
  #byImage = new Map();

  constructor({ config, csrfToken, visibility, changed }) {
    Object.assign(this, { config, csrfToken, visibility, changed });
    this.texts = config.texts;
    this.watch = new Watch(config.images, (id, image) => this.#settled(id, image));
  }

  get busy() {
    return Boolean(this.#count("waiting") + this.#count("uploading"));
  }

  /** Finished for the user's purposes, out of how many: pending ones count half. */
  get fraction() {
    const all = this.items.length - this.#count("cancelled");
    const open = this.#count("waiting") + this.#count("uploading") + this.#count("pending") / 2;
    return all ? 1 - open / all : 0;
  }

  add(files) {
    const visibility = this.visibility();
    for (const file of files) {
      const item = { number: this.items.length, file, visibility, state: null, progress: 0 };
      this.items.push(item);
      this.#set(item, "waiting", this.texts.waiting);
    }
    this.#start();
  }

  retry(item) {
    if (item.state !== "failed" && item.state !== "cancelled") return;
    item.progress = 0;
    this.#again.push(item);
    this.#set(item, "waiting", this.texts.waiting);
    this.#start();
  }

  retryAll() {
    const failed = this.items.filter(({ state, kept }) => state === "failed" && !kept);
    failed.forEach((item) => this.retry(item));
  }

  cancel(item) {
    if (item.state === "uploading") item.abort.abort();
    else if (item.state === "waiting") this.#set(item, "cancelled", this.texts.cancelled);
  }

  cancelAll() {
    this.items.forEach((item) => this.cancel(item));
  }

  #count(state) {
    return this.counts[state] ?? 0;
  }

  #set(item, state, text, more = {}) {
    if (item.state) this.counts[item.state] -= 1;
    this.counts[state] = this.#count(state) + 1;
    Object.assign(item, { state, text, ...more });
    this.changed(item);
  }

  #start() {
    if (Date.now() < this.#pausedUntil) return;
    while (this.#active < AT_ONCE) {
      const item = this.#take();
      if (!item) return;
      this.#active += 1;
      this.#upload(item).finally(() => {
        this.#active -= 1;
        this.#start();
      });
    }
  }

  #take() {
    for (;;) {
      const item = this.#next < this.items.length ? this.items[this.#next++] : this.#again.shift();
      if (!item || item.state === "waiting") return item;
    }
  }

  async #upload(item) {
    if (item.file.size > this.config.maxBytes) {
      const size = Math.floor(this.config.maxBytes / MEGABYTE);
      return this.#set(item, "failed", fill(this.texts.tooLarge, { size }));
    }
    item.abort = new AbortController();
    this.#progress(item, 0);
    try {
      const answer = await send(item.file, {
        url: this.config.images,
        visibility: item.visibility,
        csrfToken: this.csrfToken,
        signal: item.abort.signal,
        progress: (fraction) => this.#progress(item, fraction),
      });
      this.#answered(item, answer);
    } catch (error) {
      if (error.name === "AbortError") this.#set(item, "cancelled", this.texts.cancelled);
      else this.#set(item, "failed", await this.#reason(item.file));
    }
  }

  /** Why nothing came back: a file that was moved or changed looks like a lost
   * connection to the request. */
  async #reason(file) {
    try {
      await file.slice(0, 1).arrayBuffer();
      return this.texts.network;
    } catch {
      return this.texts.unreadable;
    }
  }

  #progress(item, progress) {
    const percent = Math.floor(progress * 100);
    const text = progress < 1 ? fill(this.texts.uploading, { percent }) : this.texts.checking;
    if (item.state === "uploading" && item.text === text) return;
    this.#set(item, "uploading", text, { progress });
  }

  #answered(item, { status, body, retryAfter }) {
    if (status === 429) return this.#pause(item, retryAfter);
    if ((status === 200 || status === 201) && body) return this.#accepted(item, body);
    if (status === 401 || status === 403) {
      return this.#set(item, "failed", this.texts.signedOut, { page: this.config.login });
    }
    const sentence = body?.errors?.map((error) => error.detail).join(" ");
    this.#set(item, "failed", sentence || this.texts.server);
  }

  #accepted(item, image) {
    const more = { page: image.urls.page, thumbnail: image.urls.thumbnail };
    if (image.duplicate) return this.#set(item, "duplicate", this.texts.duplicate, more);
    if (image.state === "ready") {
      const text = image.restored ? this.texts.restored : this.texts.ready;
      return this.#set(item, "ready", text, more);
    }
    this.#byImage.set(image.id, item);
    this.#set(item, "pending", this.texts.pending, more);
    this.watch.add(image.id);
  }

  #settled(id, image) {
    const item = this.#byImage.get(id);
    if (!image) this.#set(item, "cancelled", this.texts.gone, { page: null });
    else if (image.state === "ready") this.#set(item, "ready", this.texts.ready);
    // It is in the gallery: its page tells more and can start it again.
    else this.#set(item, "failed", image.error, { kept: true });
  }

  /** The server asks for patience: nothing is sent until then. */
  #pause(item, seconds) {
    this.#again.push(item);
    this.#set(item, "waiting", fill(this.texts.patience, { seconds }));
    this.#pausedUntil = Date.now() + seconds * 1000;
    setTimeout(() => this.#start(), seconds * 1000);
  }
}
