// One file of the queue and its states.
//
// checking -> waiting -> sending -> received -> pending -> ready
//
// A check or the server's answer can also find a duplicate. A ZIP file ends as unpacking, which is
// an import. A file can be paused, failed or cancelled on the way. missing: known from an earlier
// visit, but the user must choose the file again.

const OPEN = new Set(["checking", "waiting", "sending", "received", "paused"]);
const DONE = new Set(["pending", "ready", "duplicate", "unpacking", "failed", "cancelled"]);
export const STATES = [...OPEN, ...DONE, "missing"];
const AGAIN = new Set(["failed", "cancelled"]);

export class Item {
  state = null;
  sent = 0; // bytes
  sha256 = "";
  url = ""; // the address of the upload, once the server has created it
  kept = false; // the browser holds a copy of the file
  inGallery = false; // stays true if a later step fails
  passes = true; // the cause of the failure is temporary

  /** `path` is the name, with its folders if it has some. */
  constructor({ path, size, modified, visibility, album, file = null, sha256 = "", url = "" }) {
    this.path = path;
    this.size = size;
    this.modified = modified;
    this.visibility = visibility;
    this.album = album;
    this.file = file;
    this.sha256 = sha256;
    this.url = url;
    this.name = path.split("/").pop();
    this.isArchive = isArchive(this.name);
    // Identifies the same file with the same target.
    this.key = JSON.stringify([path, size, modified, visibility, album]);
  }

  /** Whether this page has work left to do for it. */
  get open() {
    return OPEN.has(this.state);
  }

  /** Whether sending has ended, with or without success. */
  get done() {
    return DONE.has(this.state);
  }

  /** Whether the same file, chosen again, continues this item. */
  get renewable() {
    return AGAIN.has(this.state) && !this.inGallery;
  }

  /** Whether another attempt with the same file can succeed. */
  get retriable() {
    return this.renewable && this.passes;
  }

  get pausable() {
    return this.state === "waiting" || this.state === "sending";
  }

  get cancellable() {
    return (this.open && this.state !== "received") || this.state === "missing";
  }
}

export const isArchive = (name) => /\.zip$/i.test(name);
