// The arithmetic of a rectangle on a picture.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fitted, resized, turned, WHOLE, within } from "clipsite/composer/crop-box";

const LIMITS = { least: 5, digits: 0 };
const BOX = { left: 20, top: 20, width: 40, height: 20 };

test("a rectangle stays on the picture", () => {
  assert.deepEqual(within({ left: 90, top: -5, width: 30.4, height: 2 }, LIMITS), { left: 70, top: 0, width: 30, height: 5 });
  assert.deepEqual(within({ left: 0, top: 0, width: 33.3333, height: 200 }, { least: 1, digits: 2 }), {
    left: 0,
    top: 0,
    width: 33.33,
    height: 100,
  });
});

test("corners and sides resize, the opposite ones stay", () => {
  assert.deepEqual(resized(BOX, "se", 10, 5, LIMITS), { left: 20, top: 20, width: 50, height: 25 });
  assert.deepEqual(resized(BOX, "nw", -30, 50, LIMITS), { left: 0, top: 35, width: 60, height: 5 });
  assert.deepEqual(resized(BOX, "e", 10, 50, LIMITS), { left: 20, top: 20, width: 50, height: 20 });
  assert.deepEqual(resized(BOX, "n", 50, -10, LIMITS), { left: 20, top: 10, width: 40, height: 30 });
});

test("a fixed ratio is kept up to the edge", () => {
  const ratio = 2;
  for (const [corner, x, y] of [["se", 20, 0], ["nw", -50, -50], ["ne", 90, -90], ["sw", -5, 40]]) {
    const box = resized(BOX, corner, x, y, { least: 5, digits: 3 }, ratio);
    assert.ok(Math.abs(box.width / box.height - ratio) < 0.001, corner);
    assert.ok(box.left >= 0 && box.top >= 0 && box.left + box.width <= 100 && box.top + box.height <= 100, corner);
  }
  const grown = resized(BOX, "se", 20, 0, LIMITS, ratio);
  assert.deepEqual([grown.left, grown.top, grown.width, grown.height], [20, 20, 60, 30]);
});

test("the largest rectangle of a ratio is in the middle", () => {
  assert.deepEqual(fitted(WHOLE, 1), WHOLE);
  assert.deepEqual(fitted(WHOLE, 0.5), { left: 25, top: 0, width: 50, height: 100 });
  assert.deepEqual(fitted(BOX, 1), { left: 30, top: 20, width: 20, height: 20 });
});

test("a rectangle turns with its picture", () => {
  assert.deepEqual(turned(BOX, 1), { left: 60, top: 20, width: 20, height: 40 });
  assert.deepEqual(turned(turned(BOX, 1), -1), BOX);
  assert.deepEqual(turned(BOX, 4), BOX);
});
