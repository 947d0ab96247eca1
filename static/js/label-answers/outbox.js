// Answers on their way to the server. They are kept on this device until the server has them: a
// page that closes, a network that is away, or a session that ends loses none.

const PREFIX = "answer";
/** A request that outlives its page may have 64 KB. */
const AT_ONCE = 100;
const LONGEST = 30_000; // ms between two tries
const KEPT = 30 * 24 * 3600 * 1000; // ms, as long as a deleted set can be restored

/**
 * `address` is where it is sent. A verdict of null takes an answer back.
 * @typedef {{ address: string, image: string, category: string, verdict: boolean | null }} Entry
 *
 * `status` is 0 if the server did not answer. `retry` is in seconds, or 0.
 * @typedef {{ status: number, detail?: string, retry?: number }} Outcome
 *
 * @typedef {"saved" | "saving" | "waiting" | "signed-out"} State
 */

export class Outbox {
  #entries = new Map(); // by key, in the order of the answers
  #count = 0;
  #busy = false;
  #tries = 0;
  #timer;

  /**
   * @param {{
   *   owner: string | number,
   *   storage: Storage | null,
   *   send: (address: string, answers: object[]) => Promise<Outcome>,
   *   changed?: (state: State, waiting: number) => void,
   *   refused?: (detail: string) => void,
   * }} parts
   */
  constructor({ owner, storage, send, changed = () => {}, refused = () => {} }) {
    this.prefix = `${PREFIX} ${owner} `;
    this.storage = storage;
    this.send = send;
    this.changed = changed;
    this.refused = refused;
    /** @type {State} */
    this.state = "saved";
    for (const [key, entry] of this.#kept()) this.#entries.set(key, entry);
  }

  get waiting() {
    return this.#entries.size;
  }

  /** @param {Entry} entry */
  add(entry) {
    this.#count += 1;
    const time = String(Date.now()).padStart(15, "0");
    const key = `${this.prefix}${time} ${String(this.#count).padStart(6, "0")} ${Math.random()}`;
    this.#entries.set(key, entry);
    this.#keep(key, entry);
  }

  /** Send what waits, now. Resolves when all is sent, or when the next try has to wait. */
  async flush() {
    if (this.#busy) return;
    this.#busy = true;
    clearTimeout(this.#timer);
    try {
      while (this.#entries.size) {
        if (this.#tries === 0) this.#tell("saving");
        const part = this.#next();
        if (part.length && !(await this.#deliver(part))) return;
      }
      this.#tell("saved");
    } finally {
      this.#busy = false;
    }
  }

  /** Return the first entries that may go into one request: those of one address, each picture
   * once, so that they keep their order. Others have been sent by another tab meanwhile. */
  #next() {
    const part = [];
    const images = new Set();
    let address = null;
    for (const [key, entry] of this.#entries) {
      if (!this.#isStillKept(key)) {
        this.#entries.delete(key);
        continue;
      }
      address ??= entry.address;
      if (entry.address !== address || images.has(entry.image) || part.length === AT_ONCE) break;
      images.add(entry.image);
      part.push([key, entry]);
    }
    return part;
  }

  /** Send a part. Resolves to whether to go on. */
  async #deliver(part) {
    const [[, { address }]] = part;
    const answers = part.map(([, { image, category, verdict }]) => ({ image, category, verdict }));
    const { status, detail = "", retry = 0 } = await this.send(address, answers);
    if (status >= 200 && status < 300) {
      this.#tries = 0;
      this.#forget(part);
      return true;
    }
    if (status === 401 || status === 403) {
      this.#tell("signed-out");
      return false;
    }
    if (status === 404) return this.#setAside(address, detail);
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) return this.#refuse(part, detail);
    this.#tries += 1;
    this.#tell("waiting");
    this.#timer = setTimeout(() => this.flush(), retry * 1000 || Math.min(1000 * 2 ** (this.#tries - 1), LONGEST));
    return false;
  }

  /** One answer of a request may be wrong: a picture may be gone by now. Send each alone, and drop
   * the wrong ones. */
  async #refuse(part, detail) {
    if (part.length === 1) {
      this.#forget(part);
      this.refused(detail);
      return true;
    }
    for (const entry of part) {
      if (!(await this.#deliver([entry]))) return false;
    }
    return true;
  }

  /** The set is gone, or somebody else has signed in. A later page tries again: a deleted set can be
   * restored. */
  #setAside(address, detail) {
    for (const [key, entry] of this.#entries) if (entry.address === address) this.#entries.delete(key);
    this.refused(detail);
    return true;
  }

  #tell(state) {
    this.state = state;
    this.changed(state, this.waiting);
  }

  #forget(part) {
    for (const [key] of part) {
      this.#entries.delete(key);
      this.#try(() => this.storage?.removeItem(key));
    }
  }

  #keep(key, entry) {
    // Storage may be forbidden or full: the answer then lives as long as the page.
    if (!this.#try(() => (this.storage?.setItem(key, JSON.stringify(entry)), true))) entry.unkept = true;
  }

  #isStillKept(key) {
    if (!this.storage || this.#entries.get(key).unkept) return true;
    return this.#try(() => this.storage.getItem(key) !== null) ?? true;
  }

  #kept() {
    const keys = this.#try(() => Object.keys(this.storage ?? {})) ?? [];
    const own = keys.filter((key) => key.startsWith(this.prefix)).sort();
    const isOld = (key) => Number(key.slice(this.prefix.length).split(" ")[0]) < Date.now() - KEPT;
    for (const key of own.filter(isOld)) this.#try(() => this.storage.removeItem(key));
    return own
      .filter((key) => !isOld(key))
      .map((key) => [key, this.#try(() => JSON.parse(this.storage.getItem(key)))])
      .filter(([, entry]) => entry?.address && entry.image);
  }

  #try(work) {
    try {
      return work();
    } catch {
      return undefined;
    }
  }
}
