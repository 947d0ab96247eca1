// Draws many dots at once, directly into the pixels of the canvas. This is ten times as fast as
// drawing each.

/** Return half the width of each row of a disc, from top to bottom. */
function rowsOf(radius) {
  const rows = [];
  for (let y = -radius; y <= radius; y += 1) {
    rows.push(Math.floor(Math.sqrt((radius + 0.3) ** 2 - y * y)));
  }
  return rows;
}

export class Dots {
  constructor(context) {
    this.context = context;
  }

  resize(width, height) {
    this.image = this.context.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  /** Paint dots of `radius` device pixels. `colours` are little-endian 0xAABBGGRR. */
  paint(points, view, ratio, radius, colours) {
    const { width, height } = this.image;
    const { pixels } = this;
    const rows = rowsOf(radius);
    const scale = view.scale * ratio;
    const left = width / 2 - view.x * scale;
    const top = height / 2 - view.y * scale;
    pixels.fill(0);
    points.within(view.box(radius), (index) => {
      const x = Math.round(points.x[index] * scale + left);
      const y = Math.round(points.y[index] * scale + top);
      if (x < radius || y < radius || x >= width - radius || y >= height - radius) return;
      const colour = colours[index];
      for (let row = 0; row < rows.length; row += 1) {
        const middle = (y + row - radius) * width + x;
        const half = rows[row];
        for (let at = middle - half; at <= middle + half; at += 1) pixels[at] = colour;
      }
    });
    this.context.putImageData(this.image, 0, 0);
  }
}

const SLOTS = 12; // hues for regions whose pictures have no colour yet

/** Return the colours of all points for `Dots.paint`. They contrast with the background. Points
 *  that are not in `lit` (a set of indices, or null for all) are almost transparent. */
export function colourTable(points, dark, lit) {
  const table = new Uint32Array(points.count);
  for (let index = 0; index < points.count; index += 1) {
    const rgb = points.colour[index] < 0 ? byRegion(points.region[index]) : split(points.colour[index]);
    const seen = clear(rgb, dark);
    const alpha = lit && !lit.has(index) ? 50 : 255;
    table[index] = ((alpha << 24) | (seen[2] << 16) | (seen[1] << 8) | seen[0]) >>> 0;
  }
  return table;
}

const split = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];

function byRegion(region) {
  const hue = ((region * 7) % SLOTS) / SLOTS;
  return [0, 1 / 3, 2 / 3].map((shift) =>
    Math.round(150 + 30 * Math.cos(2 * Math.PI * (hue - shift))),
  );
}

/** Return a colour with enough contrast: darker on a light background, lighter on a dark one. */
function clear(rgb, dark) {
  const light = 0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2];
  if (dark && light < 90) return rgb.map((part) => Math.round(part + (255 - part) * ((90 - light) / 200)));
  if (!dark && light > 190) return rgb.map((part) => Math.round(part * (1 - (light - 190) / 160)));
  return rgb;
}
