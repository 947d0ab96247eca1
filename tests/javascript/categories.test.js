import assert from "node:assert/strict";
import test from "node:test";

import { Categories } from "clipsite/explore/categories";
import { Points } from "clipsite/explore/points";

const encoder = new TextEncoder();

/** Points whose ids begin with these bytes, in order. */
function pointsOf(beginnings) {
  const buffer = new ArrayBuffer(beginnings.length * 32);
  beginnings.forEach((first, index) => new DataView(buffer).setUint8(index * 32 + 16, first));
  return new Points(buffer);
}

/** The answer of the server: names, and [first byte of an id, number], in order. */
function answerOf(names, records) {
  const text = encoder.encode(JSON.stringify(names));
  const buffer = new ArrayBuffer(4 + text.length + records.length * 10);
  const data = new DataView(buffer);
  data.setUint32(0, text.length);
  new Uint8Array(buffer, 4).set(text);
  records.forEach(([first, number], index) => {
    data.setUint8(4 + text.length + index * 10, first);
    data.setUint16(4 + text.length + index * 10 + 8, number);
  });
  return buffer;
}

const grey = () => [1, 2, 3];

test("each point finds its category, whatever else the answer has", () => {
  const found = new Categories(answerOf(["狗", "cat"], [[0, 1], [2, 2], [3, 1], [200, 2], [255, 1]]));
  found.match(pointsOf([1, 2, 3, 100, 200]));
  assert.deepEqual([...found.numbers], [0, 2, 1, 0, 2]);
  assert.deepEqual([...found.counts], [2, 1, 2]);
  assert.deepEqual(found.ranked(), [2, 1]);
  assert.equal(found.names[0], "狗");
  assert.equal(found.series(2), 1);
  assert.equal(found.series(0), "rest");
});

test("only eight categories have a colour", () => {
  const names = Array.from({ length: 12 }, (_, number) => `n${number}`);
  const records = names.map((_, number) => [number + 1, number + 1]);
  const found = new Categories(answerOf(names, records));
  found.match(pointsOf(records.map(([first]) => first)));
  assert.deepEqual(found.ranked().map((number) => found.series(number)), [1, 2, 3, 4, 5, 6, 7, 8, ...Array(4).fill("rest")]);
});

test("hidden categories step back, and the one that is looked at stands out", () => {
  const found = new Categories(answerOf(["dog", "cat"], [[1, 1], [2, 2]]));
  found.match(pointsOf([1, 2, 3]));
  const alphas = (lit = null) => [...found.table(lit, grey)].map((colour) => colour >>> 24);
  assert.deepEqual(alphas(), [255, 255, 110]);
  found.hidden.add(1);
  assert.deepEqual(alphas(), [26, 255, 110]);
  found.looked = 1;
  assert.deepEqual(alphas(), [255, 26, 26]);
  found.looked = 0;
  assert.deepEqual(alphas(), [26, 26, 255]);
  found.looked = -1;
  assert.deepEqual(alphas(new Set([2])), [26, 26, 110]);
  assert.equal(found.table(null, grey)[1], 0xff030201);
});

test("an empty answer is no categories", () => {
  const found = new Categories();
  found.match(pointsOf([1]));
  assert.deepEqual([...found.numbers], [0]);
  assert.deepEqual(found.ranked(), []);
});
