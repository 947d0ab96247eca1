// The map page: connects its parts and draws them.

import { Card } from "clipsite/explore/card";
import { Categories } from "clipsite/explore/categories";
import { colourTable, Dots } from "clipsite/explore/dots";
import { Labels } from "clipsite/explore/labels";
import { Lasso } from "clipsite/explore/lasso";
import { colourOf, Legend } from "clipsite/explore/legend";
import { listenOn } from "clipsite/explore/pointer";
import { Points } from "clipsite/explore/points";
import { Thumbs } from "clipsite/explore/thumbs";
import { View } from "clipsite/explore/view";
import { fill, message } from "clipsite/base/messages";
import { begin, onChange, selection } from "clipsite/select/selection";
import { MOST } from "clipsite/select/state";
import { toast } from "clipsite/base/toast";

const config = JSON.parse(document.getElementById("map-config").textContent);
const { texts } = config;
const stage = document.getElementById("map");
const canvas = stage.querySelector("canvas");
const context = canvas.getContext("2d");
const status = document.getElementById("map-status");
const live = document.getElementById("map-live");
const lassoButton = document.querySelector("[data-lasso]");

const REACH = 14; // the largest distance from a point, in pixels, that still hits it
const WIDE = 700;

const address = (pattern) => (id) => pattern.replace(config.anyId, id);
const counted = (forms, count) => fill(forms[count === 1 ? 0 : 1], { count });
const theme = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme || (theme.matches ? "dark" : "light")) === "dark";
// Colours for the canvas, resolved by the element's styles.
const palette = () => {
  const { color, outlineColor } = getComputedStyle(canvas);
  return { accent: color, line: outlineColor };
};

let points = new Points();
let colours = new Uint32Array();
let lit = null; // indices of matches, or null
let categories = null; // of the label set that colours the map, or null
let thumbs = [];
let current = -1; // the point that the card shows
let keyed = false; // the card shows the point in the middle, for the keys
let pointer = null; // the mouse's position on the map, in pixels
let moved = false; // the view has changed since the last drawing
let ratio = 1;
let dirty = false;

const view = new View(draw, (x, y) => points.neighbour(x, y));
const dots = new Dots(context);
const lasso = new Lasso();
const pictures = new Thumbs(address(config.thumbnail), draw);
const labels = new Labels(document.getElementById("map-labels"), (region) => view.showRegion(region));
const card = new Card(document.getElementById("map-card"), {
  facts: address(config.facts),
  thumbnail: address(config.thumbnail),
  picture: address(config.picture),
  untitled: texts.untitled,
});

const seriesColours = new Map();
const legendList = document.getElementById("map-legend");
const legend =
  config.labels &&
  new Legend(legendList, document.getElementById("map-legend-row"), texts.without, colour);

// --- Drawing ---

function draw() {
  if (dirty) return;
  dirty = true;
  requestAnimationFrame(() => {
    dirty = false;
    paint();
  });
}

function paint() {
  if (!dots.image) return; // not measured yet
  dots.paint(points, view, ratio, Math.round(radius() * ratio), colours);
  thumbs = points.count ? pictures.arrange(view, view.width < WIDE ? 58 : 76) : [];
  if (moved) follow();
  const { accent, line } = palette();
  for (const thumb of thumbs) if (thumb.bitmap) drawThumb(thumb, line);
  if (selection.active) markSelected(accent);
  if (current >= 0) ring(current, accent, 3);
  if (keyed) cross(accent);
  lasso.draw(context, ratio, accent);
  labels.arrange(view);
}

/** Return the radius of a dot: larger with fewer points and with a closer zoom. */
function radius() {
  const room = Math.sqrt((view.width * view.height) / Math.max(points.count, 1));
  return Math.min(Math.min(Math.max(room / 5, 1.2), 4) * view.zoom ** 0.3, 6);
}

/** Draw the whole picture within its square. */
function drawThumb({ index, left, top, size, bitmap }, line) {
  const factor = size / Math.max(bitmap.width, bitmap.height);
  const [width, height] = [bitmap.width * factor, bitmap.height * factor];
  const [x, y] = [left + (size - width) / 2, top + (size - height) / 2];
  const rim = categories ? 3 : 1.5;
  context.globalAlpha = (lit && !lit.has(index)) || categories?.isFaint(index) ? 0.25 : 1;
  context.fillStyle = categories ? `rgb(${seriesColour(categories.series(categories.numbers[index]))})` : line;
  context.fillRect((x - rim) * ratio, (y - rim) * ratio, (width + 2 * rim) * ratio, (height + 2 * rim) * ratio);
  context.drawImage(bitmap, x * ratio, y * ratio, width * ratio, height * ratio);
  context.globalAlpha = 1;
}

function markSelected(accent) {
  for (const id of selection.ids) {
    const index = points.indices.get(id);
    if (index !== undefined) ring(index, accent, 2.5);
  }
}

function ring(index, colour, width) {
  const thumb = thumbs.find((one) => one.index === index && one.bitmap);
  context.strokeStyle = colour;
  context.lineWidth = width * ratio;
  context.beginPath();
  if (thumb) {
    context.rect(thumb.left * ratio, thumb.top * ratio, thumb.size * ratio, thumb.size * ratio);
  } else {
    const [x, y] = view.toScreen(points.x[index], points.y[index]);
    context.arc(x * ratio, y * ratio, (radius() + 3) * ratio, 0, 2 * Math.PI);
  }
  context.stroke();
}

function cross(colour) {
  const [x, y] = [canvas.width / 2, canvas.height / 2];
  const arm = 8 * ratio;
  context.strokeStyle = colour;
  context.lineWidth = 2 * ratio;
  context.beginPath();
  context.moveTo(x - arm, y);
  context.lineTo(x + arm, y);
  context.moveTo(x, y - arm);
  context.lineTo(x, y + arm);
  context.stroke();
}

// --- Points ---

async function load() {
  const [answer, found] = await Promise.all([ask(config.points), askCategories()]);
  if (!answer) return;
  categories = found;
  take(new Points(await answer.arrayBuffer()));
  view.enclose(points.bounds);
  say(Number(answer.headers.get("X-Unplaced")));
}

/** Return the categories of the points of a part of the map; null without a label set. */
async function askCategories(box = "") {
  const answer = config.labels && (await ask(`${config.labels}${box && `&box=${box}`}`));
  if (!answer) return null;
  const found = new Categories(await answer.arrayBuffer());
  if (categories) found.hidden = categories.hidden;
  return found;
}

function take(found) {
  const shown = lit && new Set([...lit].map((index) => points.id(index)));
  points = found;
  if (shown) lit = new Set([...shown].map((id) => points.indices.get(id)).filter((index) => index >= 0));
  current = -1;
  card.hide();
  moved = true;
  pictures.take(points);
  if (categories) {
    categories.match(points);
    legend.take(categories);
  }
  colour();
  stage.dataset.points = String(points.count);
}

function colour() {
  seriesColours.clear();
  colours = categories ? categories.table(lit, seriesColour) : colourTable(points, isDark(), lit);
  draw();
}

/** Return [red, green, blue] of a series in the present theme. */
function seriesColour(series) {
  if (!seriesColours.has(series)) seriesColours.set(series, colourOf(legendList, series));
  return seriesColours.get(series);
}

function say(unplaced) {
  const parts = [counted(texts.pictures, points.count)];
  if (points.count >= config.mostPoints) parts.push(texts.sampled);
  if (unplaced) parts.push(counted(texts.unplaced, unplaced));
  if (lit) parts.unshift(lit.size ? counted(texts.matches, lit.size) : texts.noMatches);
  status.textContent = parts.join(" ");
}

async function highlight() {
  const answer = await ask(config.matches);
  if (!answer) return;
  const { ids } = await answer.json();
  lit = new Set(ids.map((id) => points.indices.get(id)).filter((index) => index !== undefined));
  colour();
  status.textContent = `${lit.size ? counted(texts.matches, lit.size) : texts.noMatches} ${status.textContent}`;
  if (lit.size && !new URL(location.href).searchParams.has("at")) {
    view.fit([...lit].map((index) => [points.x[index], points.y[index]]));
  }
}

/** If there are too many points for one answer, close views load all points of their part. */
let asked = "";
/** @type {{points: Points, categories: Categories | null} | null} */
let whole = null;
async function refine() {
  if (points.count < config.mostPoints && !whole) return;
  const box = view.box();
  const sides = [box.left, box.top, box.right, box.bottom].map((side) => Math.min(Math.max(side, 0), 1).toFixed(4));
  const wanted = view.zoom > 3 ? sides.join() : "";
  if (wanted === asked) return;
  asked = wanted;
  whole ??= { points, categories };
  if (!wanted) {
    ({ categories } = whole);
    return take(whole.points);
  }
  const [answer, found] = await Promise.all([ask(`${config.points}&box=${wanted}`), askCategories(wanted)]);
  if (!answer || asked !== wanted) return;
  categories = found;
  take(new Points(await answer.arrayBuffer()));
}

async function ask(where) {
  try {
    const answer = await fetch(where, { headers: { Accept: "*/*" } });
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => null);
    toast(said?.errors?.[0]?.detail ?? message("network"));
  } catch {
    toast(message("network"));
  }
  return null;
}

// --- Regions: the labels come from the list beside the map ---

document.body.addEventListener("htmx:afterSettle", takeRegions);

function takeRegions() {
  // A name like “Other 3” says nothing on the map.
  const rows = [...document.querySelectorAll("[data-region][data-on-map]")];
  labels.take(
    rows.map(({ dataset }) => ({
      id: Number(dataset.region),
      name: dataset.name,
      count: Number(dataset.count),
      x: Number(dataset.x),
      y: Number(dataset.y),
      spread: Number(dataset.spread),
    })),
  );
  draw();
}

document.addEventListener("click", (event) => {
  const go = event.target.closest("[data-go-to]");
  if (!go) return;
  const { x, y, spread } = go.closest("[data-region]").dataset;
  view.showRegion({ x: Number(x), y: Number(y), spread: Number(spread) });
  stage.scrollIntoView({ block: "nearest" });
});

// --- The current picture ---

/** Return the point under (left, top): a thumbnail or a dot nearby, or -1. */
function pointAt(left, top) {
  const thumb = thumbs.find(
    (one) =>
      one.bitmap &&
      left >= one.left &&
      left <= one.left + one.size &&
      top >= one.top &&
      top <= one.top + one.size,
  );
  if (thumb) return thumb.index;
  return points.nearest(...view.toMap(left, top), REACH / view.scale);
}

function look(index, left, top, said) {
  current = index;
  if (index < 0) card.hide();
  else card.show(points.id(index), left, top, view, said);
  stage.classList.toggle("pointing", index >= 0);
  draw();
}

/** Show the picture in the middle of the map: the keys act on it. */
function lookAtMiddle() {
  const [x, y] = [view.width / 2, view.height / 2];
  const reach = Math.min(x, y) / view.scale;
  look(points.nearest(...view.toMap(x, y), reach), x, y, (name) => {
    live.textContent = name;
  });
}

/** Update the card after the map has moved under the mouse or the middle. A card opened by a finger
    follows its point until this is out of sight. */
function follow() {
  moved = false;
  if (keyed) return lookAtMiddle();
  if (pointer) return look(pointAt(...pointer), ...pointer);
  if (current < 0) return;
  const [x, y] = view.toScreen(points.x[current], points.y[current]);
  const seen = x >= 0 && y >= 0 && x <= view.width && y <= view.height;
  look(seen ? current : -1, x, y);
}

function open(index) {
  location.assign(address(config.picture)(points.id(index)));
}

// --- Selecting ---

const canSelect = Boolean(lassoButton);

function toggle(index) {
  const id = points.id(index);
  const on = !selection.has(id);
  if (!selection.set(id, on)) toast(fill(texts.tooMany, { most: MOST, count: MOST + 1 }));
  begin();
}

function selectInside(indices) {
  if (!indices.length) return toast(texts.lassoEmpty);
  const refused = indices.filter((index) => !selection.set(points.id(index), true));
  begin();
  if (refused.length) toast(fill(texts.tooMany, { most: MOST, count: indices.length }));
  else live.textContent = counted(texts.lassoed, indices.length);
}

function drawLasso(on) {
  map.drawing = on;
  lassoButton?.setAttribute("aria-pressed", String(on));
  stage.classList.toggle("drawing", on);
}

lassoButton?.addEventListener("click", () => {
  drawLasso(!map.drawing);
  if (map.drawing) toast(texts.lassoHint);
});

let wasSelecting = false;
onChange(() => {
  // The selected pictures may be in the trash now, so the points are loaded again.
  if (wasSelecting && !selection.active) load();
  wasSelecting = selection.active;
  draw();
});

// --- Pointer and keys ---

const map = {
  drawing: false,
  hover(left, top) {
    keyed = false;
    pointer = [left, top];
    const index = pointAt(left, top);
    if (index !== current) look(index, left, top);
  },
  hold(left, top) {
    keyed = false;
    pointer = [left, top];
  },
  leave() {
    pointer = null;
    if (!keyed) look(-1);
  },
  tap(left, top, event) {
    stage.focus({ preventScroll: true });
    const index = pointAt(left, top);
    if (index < 0) return look(-1);
    if (selection.active && canSelect) return toggle(index);
    if (event.pointerType === "mouse") return open(index);
    look(index, left, top); // a finger: the card leads to the picture
  },
  draw(left, top) {
    if (!canSelect) return;
    if (lasso.active) lasso.extend(left, top);
    else lasso.begin(left, top);
    look(-1);
  },
  drawn() {
    if (!canSelect) return;
    drawLasso(false);
    selectInside(lasso.close(points, view));
    draw();
  },
  dropped() {
    lasso.cancel();
    draw();
  },
  walked() {
    keyed = true;
    lookAtMiddle();
  },
};

stage.addEventListener("keydown", (event) => {
  if (event.target !== stage) return;
  const acts = {
    Enter: () => current >= 0 && open(current),
    x: () => current >= 0 && canSelect && toggle(current),
    " ": () => current >= 0 && canSelect && toggle(current),
    Escape: () => map.drawing && (lasso.cancel(), drawLasso(false), true),
  };
  if (event.ctrlKey || event.metaKey || event.altKey || !acts[event.key]) return;
  if (acts[event.key]() === false && event.key === "Escape") return;
  event.preventDefault();
  event.stopPropagation();
});
stage.addEventListener("blur", () => {
  if (keyed) {
    keyed = false;
    look(-1);
  }
});
listenOn(stage, view, map);

for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => {
    if (button.dataset.zoom === "0") view.showWhole();
    else view.zoomBy(Number(button.dataset.zoom));
  });
}

document.getElementById("map-set")?.addEventListener("change", ({ target }) => {
  const address = new URL(location.href);
  if (target.value) address.searchParams.set("colour", target.value);
  else address.searchParams.delete("colour");
  location.assign(address);
});

// --- Size, theme, start ---

let settled = 0;
view.changed = () => {
  moved = true;
  draw();
  clearTimeout(settled);
  settled = setTimeout(refine, 300);
};

new ResizeObserver(() => {
  ratio = Math.min(devicePixelRatio, 2);
  canvas.width = Math.max(1, Math.round(stage.clientWidth * ratio));
  canvas.height = Math.max(1, Math.round(stage.clientHeight * ratio));
  dots.resize(canvas.width, canvas.height);
  view.resize(stage.clientWidth, stage.clientHeight);
  paint(); // a canvas is empty after a change of its size
}).observe(stage);

new MutationObserver(colour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
theme.addEventListener("change", colour);

takeRegions();
await load();
if (config.searched) await highlight();
