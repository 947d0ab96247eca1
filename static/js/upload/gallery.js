// What the server knows about pictures before they are sent.

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

  /** {page, thumbnail} of the picture with the bytes of `item`, if the gallery has
   * it; then it is put into the item's album as well. Otherwise null, also where it
   * lies in the trash: sending it takes it out, with what is chosen now. */
  async find({ sha256, album }) {
    const image = await this.#known(sha256);
    if (!image || image.in_trash) return null;
    if (album && !(await this.#add(album, image.id))) return null;
    const { images, pages } = this.config;
    return { page: `${pages}${image.id}/`, thumbnail: `${images}${image.id}/thumbnail/` };
  }

  async #ask(hashes) {
    const { status, body } = await this.line.post(this.config.known, { sha256: hashes });
    // Without an answer all are sent: the server finds duplicates, too.
    return hashes.map((hash) => (status === 200 ? body?.known[hash] : undefined));
  }

  /** Resolves to whether the album took it; if not, sending it tells why. */
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
