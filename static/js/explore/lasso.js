// The lasso: a line around points, drawn by mouse, pen or finger.

const STEP = 4; // pixels between two corners

export class Lasso {
  constructor() {
    this.corners = [];
  }

  get active() {
    return this.corners.length > 0;
  }

  begin(left, top) {
    this.corners = [[left, top]];
  }

  extend(left, top) {
    const [x, y] = this.corners.at(-1);
    if (Math.hypot(left - x, top - y) >= STEP) this.corners.push([left, top]);
  }

  cancel() {
    this.corners = [];
  }

  /** Return the sorted indices of the points inside and remove the line. */
  close(points, view) {
    const corners = this.corners.map(([left, top]) => view.toMap(left, top));
    this.corners = [];
    if (corners.length < 3) return [];
    const sides = [0, 1].map((axis) => corners.map((corner) => corner[axis]));
    const [left, top] = sides.map((side) => Math.min(...side));
    const [right, bottom] = sides.map((side) => Math.max(...side));
    const found = [];
    points.within({ left, top, right, bottom }, (index) => {
      if (isInside(points.x[index], points.y[index], corners)) found.push(index);
    });
    return found.sort((one, other) => one - other);
  }

  draw(context, ratio, colour) {
    if (!this.active) return;
    context.beginPath();
    for (const [left, top] of this.corners) context.lineTo(left * ratio, top * ratio);
    context.closePath();
    context.globalAlpha = 0.15;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
    context.lineWidth = 2 * ratio;
    context.strokeStyle = colour;
    context.stroke();
  }
}

/** Whether (x, y) is inside: a ray from it crosses the outline an odd number of times. */
export function isInside(x, y, corners) {
  let inside = false;
  for (let at = 0, before = corners.length - 1; at < corners.length; before = at, at += 1) {
    const [x1, y1] = corners[at];
    const [x2, y2] = corners[before];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}
