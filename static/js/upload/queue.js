// The queue of uploads: what becomes of each item (see item.js), and which are on
// their way. It draws nothing; `changed(item)` is called after every change, and
// `followed(batch)` when a ZIP file has become an import.

import { toast } from "clipsite/base/toast";
import { sha256 } from "clipsite/upload/hasher";
import { Item } from "clipsite/upload/item";
import { Unreadable } from "clipsite/upload/line";
import { Meter } from "clipsite/upload/meter";
import { TusUpload, terminate } from "clipsite/upload/tus";
import { Watch } from "clipsite/upload/watch";

// As many as a web process receives from one account (UPLOADS_AT_ONCE_EACH).
const AT_ONCE = 2;
// What an aborted upload was aborted for, as distinct from a failure.
const STOPPED = new DOMException("stopped", "AbortError");

export class Queue {
  items = [];
  paused = false;
  meter = new Meter();
  #byKey = new Map();
  #byImage = new Map();
  #unchecked = new Set();
  #waiting = new Set();
  #hashing = false;
  #active = 0;
  #sentBytes = 0;

  /** `gallery` asks and tells the server about pictures (gallery.js). */
  constructor({ config, line, gallery, memory, usage, changed, followed }) {
    this.config = config;
    this.line = line;
    this.gallery = gallery;
    this.memory = memory;
    this.usage = usage;
    this.changed = changed;
    this.followed = followed;
    this.texts = config.texts;
    this.watch = new Watch(config.images, (id, image) => this.#settled(id, image));
  }

  get busy() {
    return this.items.some((item) => item.open);
  }

  /** Whether the rest goes on by itself when the page is opened again. */
  get remembered() {
    return this.items.every((item) => !item.open || item.kept);
  }

  /** `chosen` are {file, path}; returns how many are in the list already, on their
   * way. What was missing, failed or cancelled before goes on with its new file. */
  add(chosen, { visibility, album }) {
    if (!this.items.some(({ state }) => state === "paused")) this.paused = false;
    let repeated = 0;
    const taken = [];
    for (const { file, path } of chosen) {
      const { size, lastModified: modified } = file;
      const item = new Item({ path, size, modified, visibility, album, file });
      const known = this.#byKey.get(item.key);
      if (known?.open) repeated += 1;
      else if (known?.renewable || known?.state === "missing") {
        known.file = file;
        taken.push(known);
      } else taken.push(this.#enlist(item));
    }
    for (const item of taken) this.#check(item);
    this.memory.remember(taken);
    return repeated;
  }

  /** Go on with what an earlier visit left. */
  async recall() {
    const found = await this.memory.recall();
    for (const { record, file } of found) {
      const item = new Item({ ...record, file });
      if (this.#byKey.has(item.key)) continue; // chosen again already
      item.kept = Boolean(file);
      this.#enlist(item);
      if (file) this.#check(item);
      else this.#set(item, "missing");
    }
  }

  retry(item) {
    if (!item.retriable) return;
    this.memory.remember([item]);
    this.#check(item);
  }

  pause(item) {
    if (!item.pausable) return;
    this.#set(item, "paused");
    item.abort?.abort(STOPPED);
  }

  resume(item) {
    if (item.state !== "paused") return;
    this.#set(item, "waiting");
    this.#start();
  }

  cancel(item) {
    if (!item.cancellable) return;
    this.#set(item, "cancelled");
    item.abort?.abort(STOPPED);
    if (item.url) terminate(item.url, this.line);
    item.url = "";
    item.sent = 0;
  }

  pauseAll() {
    this.paused = true;
    this.items.forEach((item) => this.pause(item));
  }

  resumeAll() {
    this.paused = false;
    this.items.forEach((item) => this.resume(item));
    this.#start();
  }

  retryAll() {
    this.items.filter(({ state }) => state === "failed").forEach((item) => this.retry(item));
  }

  cancelAll() {
    this.items.forEach((item) => this.cancel(item));
  }

  #enlist(item) {
    this.items.push(item);
    this.#byKey.set(item.key, item);
    return item;
  }

  #set(item, state, more = {}) {
    const wasDone = item.done;
    Object.assign(item, more, { state });
    move(item, this.#unchecked, state === "checking");
    move(item, this.#waiting, state === "waiting");
    if (item.done && !wasDone) {
      this.usage.release(item, item.inGallery && state !== "duplicate");
      this.memory.forget(item);
    }
    this.changed(item);
  }

  /** `passes`: it may be taken another time. */
  #fail(item, reason, passes) {
    this.#set(item, "failed", { reason, passes });
  }

  // --- Before sending: is it there already, does it fit? ---------------------------

  #check(item) {
    this.#set(item, "checking", { sent: 0, reason: "", passes: true });
    if (!this.#hashing) this.#hashAll();
  }

  /** One file after the other; what is known about them is asked meanwhile. */
  async #hashAll() {
    this.#hashing = true;
    for (const item of this.#unchecked) {
      await this.#hash(item);
      this.#unchecked.delete(item);
    }
    this.#hashing = false;
  }

  async #hash(item) {
    // An import is known by its pictures, not by its file.
    if (item.isArchive) return this.#admit(item);
    try {
      const digest = await sha256(item.file);
      if (item.sha256 && item.sha256 !== digest) item.url = ""; // another file
      item.sha256 = digest;
    } catch {
      return this.#fail(item, this.texts.unreadable, false);
    }
    this.gallery.find(item).then((image) => {
      if (item.state !== "checking") return;
      if (!image) this.#admit(item);
      else this.#set(item, "duplicate", { page: image.page, thumbnail: image.thumbnail });
    });
  }

  #admit(item) {
    if (item.state !== "checking") return;
    const reason = this.usage.reserve(item);
    if (reason) return this.#fail(item, reason, true); // once there is room
    this.#set(item, this.paused ? "paused" : "waiting");
    this.#start();
  }

  // --- Sending --------------------------------------------------------------------

  #start() {
    while (this.#active < AT_ONCE && this.#waiting.size) {
      const [item] = this.#waiting;
      this.#active += 1;
      this.#send(item).finally(() => {
        this.#active -= 1;
        this.#start();
      });
    }
    if (!this.#active) this.meter.reset();
  }

  async #send(item) {
    const abort = new AbortController();
    item.abort = abort;
    item.meter = new Meter();
    this.#set(item, "sending");
    try {
      this.#became(item, await this.#upload(item, abort.signal).send());
    } catch (error) {
      if (error === STOPPED) return; // its state tells already
      if (error instanceof Unreadable) return this.#fail(item, this.texts.unreadable, false);
      const passes = !error.code || error.status >= 500 || this.config.passing.includes(error.code);
      this.#fail(item, error.sentence || this.texts.server, passes);
    }
  }

  #upload(item, signal) {
    const { visibility, album, sha256 } = item;
    const kind = item.isArchive ? "zip" : "image";
    return new TusUpload(item.file, {
      endpoint: this.config.uploads,
      url: item.url,
      metadata: { filename: item.name, visibility, album, sha256, kind },
      line: this.line,
      signal,
      created: (url) => {
        item.url = url;
        this.memory.note(item);
      },
      stands: (bytes) => this.#stands(item, bytes),
      progress: (bytes) => this.#progress(item, bytes),
    });
  }

  #progress(item, bytes) {
    this.#sentBytes += Math.max(0, bytes - item.sent);
    this.meter.note(this.#sentBytes);
    this.#stands(item, bytes);
  }

  #stands(item, bytes) {
    if (item.state !== "sending" && item.state !== "received") return;
    item.sent = bytes;
    item.meter.note(bytes);
    this.#set(item, bytes < item.size ? "sending" : "received");
  }

  // --- Afterwards -----------------------------------------------------------------

  #became(item, { state, image, duplicate, restored, batch, error }) {
    if (state === "refused") {
      item.url = ""; // another attempt begins anew
      return this.#fail(item, error.detail, error.can_pass);
    }
    item.inGallery = true;
    if (error) toast(error.detail); // kept all the same; the album was closed, for one
    if (batch) {
      this.followed(batch);
      return this.#set(item, "unpacking");
    }
    if (!image) return this.#set(item, "cancelled", { reason: this.texts.gone });
    const more = { page: image.urls.page, thumbnail: image.urls.thumbnail, restored };
    if (duplicate && !restored) return this.#set(item, "duplicate", more);
    if (image.state === "ready") return this.#set(item, "ready", more);
    this.#byImage.set(image.id, item);
    this.#set(item, "pending", more);
    this.watch.add(image.id);
  }

  #settled(id, image) {
    const item = this.#byImage.get(id);
    if (!image) this.#set(item, "cancelled", { reason: this.texts.gone, page: null });
    else if (image.state === "ready") this.#set(item, "ready");
    // It is in the gallery: its page tells more and can start it again.
    else this.#fail(item, image.error, false);
  }
}

function move(item, set, inside) {
  if (inside) set.add(item);
  else set.delete(item);
}
