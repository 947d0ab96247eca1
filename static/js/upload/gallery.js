// Asks the server whether it has pictures before they are sent.

import { batched } from "clipsite/upload/batched";

const MOST = 500;

export class Gallery {
  #known;
  #intoAlbum = new Map();

  constructor({ config, line }) {
    this.config = config;
    this.line = line;
    this.#known = batched((hashes) => this.#ask(hashes), MOST);
  }

  /** Resolves to {page, thumbnail} of the picture with the bytes of `item`, or to null if the
   * gallery does not have it. A picture that is found is added to the item's album. A picture in
   * the trash counts as missing: sending it restores it with the current choices. */
  async find({ sha256, album }) {
    const image = await this.#known(sha256);
    if (!image || image.in_trash) return null;
    if (album && !(await this.#add(album, image.id))) return null;
    const { images, pages } = this.config;
    return { page: `${pages}${image.id}/`, thumbnail: `${images}${image.id}/thumbnail/` };
  }

  async #ask(hashes) {
    const { status, body } = await this.line.post(this.config.known, { sha256: hashes });
    // Without an answer all files are sent. The server also finds duplicates.
    return hashes.map((hash) => (status === 200 ? body?.known[hash] : undefined));
  }

  /** Add a picture to an album. Resolves to whether this succeeded. If not, the file is sent, and
   * the answer tells why. */
  #add(album, id) {
    if (!this.#intoAlbum.has(album)) {
      const url = `${this.config.albums}${album}/images/`;
      const send = async (ids) => {
        const { status } = await this.line.post(url, { selection: { ids } });
        return ids.map(() => status < 300);
      };
      this.#intoAlbum.set(album, batched(send, MOST));
    }
    return this.#intoAlbum.get(album)(id);
  }
}
