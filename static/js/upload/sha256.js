// SHA-256 of data in pieces, for files that are too large for memory and for pages on plain HTTP.
// The browser's own function (crypto.subtle) supports neither.

const ROUNDS = 64;
const BLOCK = 64; // bytes

/** Return the first 32 bits of the fractional parts of the roots of the first `count` primes. */
function fractions(root, count) {
  const words = new Int32Array(count);
  const primes = [];
  for (let number = 2; primes.length < count; number++) {
    if (primes.some((prime) => number % prime === 0)) continue;
    words[primes.length] = (root(number) % 1) * 2 ** 32;
    primes.push(number);
  }
  return words;
}

const K = fractions(Math.cbrt, ROUNDS);
const START = fractions(Math.sqrt, 8);

export class Sha256 {
  #state = START.slice();
  #words = new Int32Array(ROUNDS);
  #rest = new Uint8Array(BLOCK); // bytes of an incomplete block
  #length = 0; // bytes so far

  /** @param {Uint8Array} bytes the next piece, of any length */
  update(bytes) {
    const filled = this.#length % BLOCK;
    this.#length += bytes.length;
    let start = 0;
    if (filled) {
      start = Math.min(BLOCK - filled, bytes.length);
      this.#rest.set(bytes.subarray(0, start), filled);
      if (filled + start < BLOCK) return;
      this.#blocks(this.#rest, 0, BLOCK);
    }
    const end = bytes.length - ((bytes.length - start) % BLOCK);
    this.#blocks(bytes, start, end);
    this.#rest.set(bytes.subarray(end));
  }

  /** Return the digest as 64 hexadecimal digits. `update` must not follow. */
  hex() {
    const bits = this.#length * 8;
    const zeros = (BLOCK + 55 - (this.#length % BLOCK)) % BLOCK;
    const end = new Uint8Array(1 + zeros + 8);
    end[0] = 0x80;
    const view = new DataView(end.buffer, 1 + zeros);
    view.setUint32(0, Math.floor(bits / 2 ** 32));
    view.setUint32(4, bits % 2 ** 32);
    this.update(end);
    return [...this.#state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #blocks(bytes, start, end) {
    const words = this.#words;
    const state = this.#state;
    let [h0, h1, h2, h3, h4, h5, h6, h7] = state;
    for (let at = start; at < end; at += BLOCK) {
      expand(words, bytes, at);
      let [a, b, c, d, e, f, g, h] = [h0, h1, h2, h3, h4, h5, h6, h7];
      for (let round = 0; round < ROUNDS; round++) {
        const choice = (e & f) ^ (~e & g);
        const turned =
          ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
        const first = (h + turned + choice + K[round] + words[round]) | 0;
        const majority = (a & b) ^ (a & c) ^ (b & c);
        const second =
          (((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) +
          majority;
        h = g;
        g = f;
        f = e;
        e = (d + first) | 0;
        d = c;
        c = b;
        b = a;
        a = (first + second) | 0;
      }
      h0 = (h0 + a) | 0;
      h1 = (h1 + b) | 0;
      h2 = (h2 + c) | 0;
      h3 = (h3 + d) | 0;
      h4 = (h4 + e) | 0;
      h5 = (h5 + f) | 0;
      h6 = (h6 + g) | 0;
      h7 = (h7 + h) | 0;
    }
    state.set([h0, h1, h2, h3, h4, h5, h6, h7]);
  }
}

/** Expand the block at `at` to the 64 words of the rounds. */
function expand(words, bytes, at) {
  for (let i = 0, byte = at; i < 16; i++, byte += 4) {
    words[i] =
      (bytes[byte] << 24) | (bytes[byte + 1] << 16) | (bytes[byte + 2] << 8) | bytes[byte + 3];
  }
  for (let i = 16; i < ROUNDS; i++) {
    const w = words[i - 15];
    const v = words[i - 2];
    const first = ((w >>> 7) | (w << 25)) ^ ((w >>> 18) | (w << 14)) ^ (w >>> 3);
    const second = ((v >>> 17) | (v << 15)) ^ ((v >>> 19) | (v << 13)) ^ (v >>> 10);
    words[i] = (words[i - 16] + first + words[i - 7] + second) | 0;
  }
}
