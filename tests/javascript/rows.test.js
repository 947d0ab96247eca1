// The layout of the grid of pictures.

import assert from "node:assert/strict";
import { test } from "node:test";

import { columns, layOut, rowAt, rowOf } from "clipsite/grid/rows";

const never = () => false;
const MEASURES = { width: 1000, row: 200, gap: 4, strip: 30, startsSection: never, startsRow: never };

/** Reproducible numbers between 0 and 1. */
function* drawn(seed) {
  for (let state = seed; ; ) {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    yield state / 2 ** 31;
  }
}

function someRatios(count, seed) {
  const numbers = drawn(seed);
  return Array.from({ length: count }, () => 0.5 + 2.5 * numbers.next().value);
}

test("an empty grid has no height", () => {
  assert.deepEqual(layOut([], MEASURES), { rows: [], height: 0 });
});

test("a single picture is as high as in a row of three, which would fill the width", () => {
  const { rows, height } = layOut([1.5], MEASURES);
  assert.deepEqual(rows, [{ first: 0, end: 1, top: 0, height: 220, strip: 0 }]);
  assert.equal(height, 220);
});

for (const [shape, ratio] of [["squares", 1], ["landscapes", 1.5], ["portraits", 2 / 3]]) {
  test(`the columns of ${shape} line up, also in the last row and in short ones`, () => {
    const measures = { ...MEASURES, width: 366, row: 108, startsRow: (index) => index === 13 };
    const ratios = new Array(20).fill(ratio);
    const { rows } = layOut(ratios, measures);
    const places = rows.map((row) => columns(row, ratios, measures.gap));
    assert.ok(places.some((row) => row.length < places[0].length), "a row is short");
    for (const row of places) assert.deepEqual(row, places[0].slice(0, row.length));
  });
}

test("a picture wider than the page gets a lower height", () => {
  assert.equal(layOut([10], MEASURES).rows[0].height, 100);
});

for (const width of [320, 390, 1024, 1440]) {
  test(`at ${width} every row but the last one fills the width, and each picture is in one row`, () => {
    const ratios = someRatios(500, width);
    const { rows, height } = layOut(ratios, { ...MEASURES, width });
    let next = 0;
    let bottom = -MEASURES.gap;
    for (const row of rows) {
      assert.equal(row.first, next);
      assert.ok(row.end > row.first);
      assert.equal(row.top, bottom + MEASURES.gap);
      next = row.end;
      bottom = row.top + row.height;
      const last = columns(row, ratios, MEASURES.gap).at(-1);
      const end = last.left + last.width;
      // Heights are whole pixels: the error is half a pixel times the width over the height.
      const rounding = 1 + width / row.height / 2;
      if (row !== rows.at(-1)) assert.ok(Math.abs(end - width) <= rounding, `${end} of ${width}`);
    }
    assert.equal(next, ratios.length);
    assert.equal(height, bottom);
  });
}

test("columns are next to one another, a gap apart", () => {
  const ratios = someRatios(40, 7);
  for (const row of layOut(ratios, MEASURES).rows) {
    const all = columns(row, ratios, MEASURES.gap);
    for (let at = 1; at < all.length; at += 1) {
      const before = all[at - 1];
      assert.ok(Math.abs(all[at].left - before.left - before.width - MEASURES.gap) <= 1);
    }
  }
});

test("a section that starts in a row puts a strip above it", () => {
  const { rows } = layOut([1, 1, 1], { ...MEASURES, startsSection: (index) => index === 0 });
  assert.deepEqual(rows[0], { first: 0, end: 3, top: 30, height: 247, strip: 30 });
});

test("a row ends where another one must start", () => {
  const { rows } = layOut([1, 1, 1], { ...MEASURES, startsRow: (index) => index === 2 });
  assert.deepEqual(rows.map(({ first, end }) => [first, end]), [[0, 2], [2, 3]]);
  assert.deepEqual(rows.map(({ height }) => height), [247, 247]);
});

test("rows are found by position and by picture", () => {
  const ratios = someRatios(300, 3);
  const { rows, height } = layOut(ratios, MEASURES);
  for (let index = 0; index < ratios.length; index += 1) {
    const { first, end } = rows[rowOf(rows, index)];
    assert.ok(first <= index && index < end);
  }
  for (let y = 0; y < height; y += 17) {
    const at = rowAt(rows, y);
    assert.ok(rows[at].top + rows[at].height > y);
    assert.ok(at === 0 || rows[at - 1].top + rows[at - 1].height <= y);
  }
  assert.equal(rowAt(rows, height + 1000), rows.length - 1);
});
