// What is on its way, remembered in the browser (IndexedDB) beyond this page: of
// each file what it is and where it was sent to and, as far as there is room, the
// file itself, so that a reload goes on by itself. The others go on where they
// stopped when the same file is chosen again.
//
// A browser that forbids storage remembers nothing; uploads work all the same.

import { pause } from "clipsite/upload/waiting";

const ROOM = 512 * 1024 * 1024; // bytes of files
const LIFETIME = 7 * 24 * 3600 * 1000;
const ANSWER_TIME = 400; // milliseconds that other tabs get to say that they are there
const UPLOADS = "uploads";
const FILES = "files";

export class Memory {
  #user;
  #database = opened().catch(() => null);
  #tab = crypto.getRandomValues(new Uint32Array(2)).join("-");
  #channel = new BroadcastChannel("clipsite-uploads");
  #tabs = new Set();
  #room = ROOM;

  constructor(user) {
    this.#user = user;
    this.#channel.addEventListener("message", ({ data }) => {
      if (data.here) this.#tabs.add(data.here);
      else this.#channel.postMessage({ here: this.#tab });
    });
    // Back from the browser's own cache, where this tab could not answer.
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  /** Write `items` down, with their files as far as there is room (`item.kept`). */
  async remember(items) {
    await this.note(...items);
    for (const item of items) await this.#keep(item);
  }

  /** Write down what has changed about `items`. */
  note(...items) {
    return this.#change([UPLOADS], (uploads) => {
      for (const item of items) uploads.put(this.#record(item));
    });
  }

  async forget(item) {
    if (item.kept) this.#room += item.size;
    item.kept = false;
    await this.#change([UPLOADS, FILES], (...stores) => {
      for (const store of stores) store.delete([this.#user, item.key]);
    });
  }

  /** What tabs that are closed left behind: [{record, file}], `file` being undefined
   * where it was not kept. They are this tab's from now on. */
  async recall() {
    this.#channel.postMessage({ anybody: true });
    await pause(ANSWER_TIME);
    const found = [];
    await this.#change([UPLOADS, FILES], (uploads, files) => {
      uploads.openCursor().onsuccess = ({ target: { result: cursor } }) => {
        if (!cursor) return;
        const record = cursor.value;
        if (record.at < Date.now() - LIFETIME) {
          cursor.delete();
          files.delete(cursor.primaryKey);
        } else if (record.user === this.#user && !this.#isOpen(record.tab)) {
          cursor.update({ ...record, tab: this.#tab });
          files.get(cursor.primaryKey).onsuccess = ({ target }) =>
            found.push({ record, file: target.result });
        }
        cursor.continue();
      };
    });
    this.#room -= found.reduce((sum, { file }) => sum + (file?.size ?? 0), 0);
    return found;
  }

  #isOpen(tab) {
    return tab === this.#tab || this.#tabs.has(tab);
  }

  async #keep(item) {
    if (item.kept || item.done || item.size > this.#room) return;
    this.#room -= item.size;
    item.kept = await this.#change([FILES], (files) =>
      files.put(item.file, [this.#user, item.key]),
    );
    if (!item.kept) this.#room = 0; // the browser has no more of it
    else if (item.done) await this.forget(item); // meanwhile
  }

  #record(item) {
    const { key, path, size, modified, visibility, album, sha256, url } = item;
    const what = { key, path, size, modified, visibility, album, sha256, url };
    return { ...what, user: this.#user, tab: this.#tab, at: Date.now() };
  }

  /** Resolves to whether the change was made. */
  async #change(names, change) {
    const database = await this.#database;
    if (!database) return false;
    return new Promise((resolve) => {
      const transaction = database.transaction(names, "readwrite");
      transaction.oncomplete = () => resolve(true);
      transaction.onabort = () => resolve(false);
      change(...names.map((name) => transaction.objectStore(name)));
    });
  }
}

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("clipsite", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(UPLOADS, { keyPath: ["user", "key"] });
      request.result.createObjectStore(FILES);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
