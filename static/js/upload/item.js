// One file on its way.
//
// checking -> waiting -> sending -> received -> pending -> ready
//
// It may turn out to be a duplicate when it is checked or received; a ZIP file
// ends as unpacking, an import. paused, failed, cancelled: on the way. missing:
// known from an earlier visit, but the file itself has to be chosen again.

const OPEN = new Set(["checking", "waiting", "sending", "received", "paused"]);
const DONE = new Set(["pending", "ready", "duplicate", "unpacking", "failed", "cancelled"]);
export const STATES = [...OPEN, ...DONE, "missing"];
const AGAIN = new Set(["failed", "cancelled"]);

export class Item {
  state = null;
  sent = 0; // bytes
  sha256 = "";
  url = ""; // where it is sent to, once the server knows of it
  kept = false; // the browser holds a copy of the file
  inGallery = false; // whatever failed afterwards
  passes = true; // what made it fail may be over another time

  /** `path` is the name, with folders where it came in some. */
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
    // The same file for the same place.
    this.key = JSON.stringify([path, size, modified, visibility, album]);
  }

  /** There is something to do for it, in this page. */
  get open() {
    return OPEN.has(this.state);
  }

  /** It is over, for better or worse, as far as sending goes. */
  get done() {
    return DONE.has(this.state);
  }

  /** The same file, chosen anew, goes on in its place. */
  get renewable() {
    return AGAIN.has(this.state) && !this.inGallery;
  }

  /** As it is, it may be taken another time. */
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
