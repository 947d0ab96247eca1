// Stores unfinished uploads in the browser (IndexedDB). It keeps the description and the upload
// address of each file. If there is room, it also keeps the file, so that the upload continues
// after a reload. The other uploads continue when the user chooses the same file again.
//
// Uploads also work without storage, if the browser forbids it.

import { pause } from "clipsite/upload/waiting";

const ROOM = 512 * 1024 * 1024; // bytes of files
const LIFETIME = 7 * 24 * 3600 * 1000;
const ANSWER_TIME = 400; // milliseconds for the answers of other open tabs
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
    // A page from the browser's cache could not answer other tabs, so it reloads.
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  /** Store `items`, and their files if there is room (`item.kept`). */
  async remember(items) {
    await this.note(...items);
    for (const item of items) await this.#keep(item);
  }

  /** Store changes of `items`. */
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

  /** Take over the uploads of closed tabs. Resolves to [{record, file}], where `file` is undefined
   * if it was not kept. */
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
    if (!item.kept) this.#room = 0; // the browser's storage is full
    else if (item.done) await this.forget(item); // it was done meanwhile
  }

  #record(item) {
    const { key, path, size, modified, visibility, album, sha256, url } = item;
    const what = { key, path, size, modified, visibility, album, sha256, url };
    return { ...what, user: this.#user, tab: this.#tab, at: Date.now() };
  }

  /** Run `change` in a transaction. Resolves to whether it succeeded. */
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
