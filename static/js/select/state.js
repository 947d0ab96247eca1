// The selection: single pictures, or a whole list except some.

/** The most ids that the server accepts. Larger selections need "all". */
export const MOST = 1000;

export class Selection {
  /** `source` describes the whole list to the server: {all, filters} or {search}. */
  constructor(source) {
    this.source = source;
    this.clear();
  }

  clear() {
    this.active = false;
    this.whole = false;
    this.total = 0;
    this.ids = new Set();
    this.except = new Set();
  }

  has(id) {
    return this.whole ? !this.except.has(id) : this.ids.has(id);
  }

  /** Select or deselect a picture. Returns false if the limit is reached. */
  set(id, on) {
    const listed = this.whole ? this.except : this.ids;
    const wanted = this.whole ? !on : on;
    if (wanted && !listed.has(id) && listed.size >= MOST) return false;
    if (wanted) listed.add(id);
    else listed.delete(id);
    this.active ||= on;
    return true;
  }

  /** Select the whole list of `total` pictures, loaded or not. */
  selectWhole(total) {
    this.clear();
    this.active = true;
    this.whole = true;
    this.total = total;
  }

  get count() {
    return this.whole ? Math.max(0, this.total - this.except.size) : this.ids.size;
  }

  /** The selection in the format of the API. */
  get spec() {
    if (!this.whole) return { ids: [...this.ids] };
    return { ...this.source, except: [...this.except] };
  }
}
