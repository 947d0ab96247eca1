// Small parts that need no page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { MOST, Selection } from "clipsite/select/state";
import { batched } from "clipsite/upload/batched";
import { isArchive, Item } from "clipsite/upload/item";
import { Meter } from "clipsite/upload/meter";
import { pause, unless } from "clipsite/upload/waiting";

test("pictures selected one by one", () => {
  const selection = new Selection({ all: true });
  assert.ok(selection.set("a", true));
  selection.set("b", true);
  selection.set("a", false);
  assert.deepEqual([selection.active, selection.count, selection.spec], [true, 1, { ids: ["b"] }]);
});

test("all pictures selected except some", () => {
  const selection = new Selection({ all: true, filters: "tag=sea" });
  selection.selectWhole(5000);
  selection.set("a", false);
  assert.deepEqual([selection.has("a"), selection.has("b"), selection.count], [false, true, 4999]);
  assert.deepEqual(selection.spec, { all: true, filters: "tag=sea", except: ["a"] });
});

test("a selection has at most as many pictures as the server takes", () => {
  const selection = new Selection({});
  for (let number = 0; number < MOST; number += 1) assert.ok(selection.set(`${number}`, true));
  assert.ok(!selection.set("one more", true));
  assert.ok(selection.set("0", true)); // is there already
  assert.equal(selection.count, MOST);
});

test("questions of the same moment share a request, up to the limit", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const sent = [];
  const double = batched(async (values) => (sent.push(values), values.map((value) => 2 * value)), 2);
  const answers = Promise.all([1, 2, 3].map(double));
  context.mock.timers.tick(100);
  assert.deepEqual(await answers, [2, 4, 6]);
  assert.deepEqual(sent, [[1, 2], [3]]);
});

test("questions of a failed request all fail, and the next ones are asked", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let fails = true;
  const ask = batched(async (values) => {
    if (fails) throw new Error("away");
    return values;
  }, 10);
  const first = Promise.allSettled([ask(1), ask(2)]);
  context.mock.timers.tick(100);
  assert.deepEqual((await first).map(({ status }) => status), ["rejected", "rejected"]);
  fails = false;
  const next = ask(3);
  context.mock.timers.tick(100);
  assert.equal(await next, 3);
});

test("speed is that of the last seconds", () => {
  const meter = new Meter();
  assert.equal(meter.speed, 0);
  for (let second = 0; second <= 60; second += 1) meter.note(second < 30 ? 0 : (second - 30) * 1000, second * 1000);
  assert.equal(meter.speed, 1000);
  meter.reset();
  assert.equal(meter.speed, 0);
});

test("the same file for the same album is recognised", () => {
  const chosen = { path: "beach/1.jpg", size: 5, modified: 1, visibility: "private", album: "" };
  const item = new Item(chosen);
  assert.equal(item.name, "1.jpg");
  assert.equal(item.key, new Item({ ...chosen, sha256: "known by now" }).key);
  assert.notEqual(item.key, new Item({ ...chosen, album: "another" }).key);
});

test("a permanent failure is not tried again, and one in the gallery is not sent again", () => {
  const item = new Item({ path: "1.jpg", size: 5, modified: 1, visibility: "private", album: "" });
  item.state = "failed";
  assert.ok(item.retriable && item.done && !item.open);
  item.passes = false;
  assert.ok(!item.retriable && item.renewable);
  item.inGallery = true;
  assert.ok(!item.renewable);
});

test("ZIP files are recognised by their names", () => {
  assert.deepEqual(["a.zip", "A.ZIP", "zip", "a.zip.jpg"].map(isArchive), [true, true, false, false]);
});

test("waiting ends with the signal", async () => {
  const abort = new AbortController();
  const waiting = pause(200, abort.signal);
  const reason = new Error("enough");
  abort.abort(reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(async () => unless(abort.signal, Promise.resolve()), reason);
  assert.equal(await unless(undefined, Promise.resolve(1)), 1);
});
