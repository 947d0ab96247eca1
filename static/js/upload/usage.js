// The used part of the account's quota, and reservations for pending uploads.

import { fill } from "clipsite/base/messages";
import { size } from "clipsite/upload/format";

const NEARLY = 0.9;

export class Usage {
  #numbers = null;
  #reserved = new Set();
  #coming = { bytes: 0, images: 0 };

  constructor({ url, line, texts, element }) {
    this.url = url;
    this.line = line;
    this.texts = texts;
    this.element = element;
  }

  async refresh() {
    const answer = await this.line.insist("GET", this.url);
    if (answer.status !== 200 || !answer.body) return; // the server checks the limits anyway
    this.#numbers = answer.body;
    this.#show();
  }

  /** Reserve room for `item`. Returns "", or the reason why it does not fit. */
  reserve(item) {
    const room = this.#room();
    if (item.size > room.bytes) {
      return fill(this.texts.noRoom, { size: size(item.size), room: size(room.bytes) });
    }
    if (!item.isArchive && room.images < 1) {
      return fill(this.texts.noCount, { most: this.#numbers.max_images });
    }
    this.#reserved.add(item);
    this.#expect(item, 1);
    return "";
  }

  /** End a reservation. With `added`, the item counts as used from now on. */
  release(item, added) {
    if (!this.#reserved.delete(item)) return;
    this.#expect(item, -1);
    if (!added || !this.#numbers) return;
    this.#numbers.bytes += item.size;
    this.#numbers.images += 1;
    this.#show();
  }

  #expect(item, sign) {
    this.#coming.bytes += sign * item.size;
    this.#coming.images += item.isArchive ? 0 : sign;
  }

  #room() {
    const { bytes, images, max_bytes: maxBytes, max_images: maxImages } = this.#numbers ?? {};
    return {
      bytes: maxBytes == null ? Infinity : Math.max(0, maxBytes - bytes - this.#coming.bytes),
      images: maxImages == null ? Infinity : maxImages - images - this.#coming.images,
    };
  }

  #show() {
    const { bytes, images, max_bytes: maxBytes, max_images: maxImages } = this.#numbers;
    const { texts, element } = this;
    const lines = [
      maxBytes == null
        ? size(bytes)
        : fill(texts.usedBytes, { used: size(bytes), most: size(maxBytes) }),
      maxImages == null
        ? fill(texts.count, { count: images })
        : fill(texts.usedCount, { used: images, most: maxImages }),
    ];
    const share = Math.max(shareOf(bytes, maxBytes), shareOf(images, maxImages));
    element.hidden = false;
    element.dataset.level = share >= 1 ? "full" : share >= NEARLY ? "nearly" : "";
    element.querySelector("[data-text]").textContent = lines.join(" · ");
    const bar = element.querySelector("progress");
    bar.hidden = maxBytes == null && maxImages == null;
    bar.value = Math.min(1, share);
  }
}

const shareOf = (used, most) => (most == null ? 0 : most ? used / most : 1);
