// The digest of files in pieces, compared with Node's own.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { Sha256 } from "clipsite/upload/sha256";

const bytes = (length) => Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) & 255);
const expected = (data) => createHash("sha256").update(data).digest("hex");

test("known digests", () => {
  const digest = new Sha256();
  digest.update(new TextEncoder().encode("abc"));
  assert.equal(digest.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("all lengths around the size of a block", () => {
  for (let length = 0; length <= 200; length += 1) {
    const digest = new Sha256();
    digest.update(bytes(length));
    assert.equal(digest.hex(), expected(bytes(length)), `${length} bytes`);
  }
});

test("pieces of any length give the same as the whole", () => {
  const data = bytes(10_000);
  for (const piece of [1, 3, 63, 64, 65, 127, 1000, 4096]) {
    const digest = new Sha256();
    for (let start = 0; start < data.length; start += piece) digest.update(data.subarray(start, start + piece));
    assert.equal(digest.hex(), expected(data), `pieces of ${piece}`);
  }
});
