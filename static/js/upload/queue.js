// The queue of uploads: the states of the items (see item.js) and the order of sending. It draws
// nothing. `changed(item)` is called after every change, and `followed(batch)` when a ZIP file has
// become an import.

import { toast } from "clipsite/base/toast";
import { sha256 } from "clipsite/upload/hasher";
import { Item } from "clipsite/upload/item";
import { Unreadable } from "clipsite/upload/line";
import { Meter } from "clipsite/upload/meter";
import { TusUpload, terminate } from "clipsite/upload/tus";
import { Watch } from "clipsite/upload/watch";

// The number of uploads that a web process accepts from one account (UPLOADS_AT_ONCE_EACH).
const AT_ONCE = 2;
// The reason of uploads that are aborted on purpose, to distinguish them from failures.
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

  /** `gallery` asks the server about known pictures (gallery.js). */
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

  /** Whether all open uploads continue by themselves on the next visit. */
  get remembered() {
    return this.items.every((item) => !item.open || item.kept);
  }

  /** Add files; `chosen` are {file, path}. Returns how many of them are in the list already.
   * Missing, failed and cancelled items continue with their new files. */
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

  /** Continue the uploads of an earlier visit. */
  async recall() {
    const found = await this.memory.recall();
    for (const { record, file } of found) {
      const item = new Item({ ...record, file });
      if (this.#byKey.has(item.key)) continue; // the user has chosen it again already
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
      // A ZIP file is no picture, and one that is gone takes no room.
      this.usage.release(item, Boolean(item.page) && state !== "duplicate");
      this.memory.forget(item);
    }
    this.changed(item);
  }

  /** Let an item fail. `passes` means that another attempt can succeed. */
  #fail(item, reason, passes) {
    this.#set(item, "failed", { reason, passes });
  }

  // --- Before sending: duplicates and quota ---------------------------------------

  #check(item) {
    this.#set(item, "checking", { sent: 0, reason: "", passes: true });
    if (!this.#hashing) this.#hashAll();
  }

  /** Hash one file after the other. The server is asked about them in parallel. */
  async #hashAll() {
    this.#hashing = true;
    for (const item of this.#unchecked) {
      await this.#hash(item);
      this.#unchecked.delete(item);
    }
    this.#hashing = false;
  }

  async #hash(item) {
    // A ZIP file is not hashed: duplicates are found among its pictures.
    if (item.isArchive) return this.#admit(item);
    try {
      const digest = await sha256(item.file);
      if (item.sha256 && item.sha256 !== digest) item.url = ""; // the file has changed
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
    if (reason) return this.#fail(item, reason, true); // it can be sent once there is room
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
      if (error === STOPPED) return; // the item's state is set already
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
      item.url = ""; // the next attempt begins anew
      return this.#fail(item, error.detail, error.can_pass);
    }
    item.inGallery = true;
    if (error) toast(error.detail); // the picture is stored; for example, the album was closed
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
    // The picture is in the gallery: its page tells more and can start the analysis again.
    else this.#fail(item, image.error, false);
  }
}

function move(item, set, inside) {
  if (inside) set.add(item);
  else set.delete(item);
}
