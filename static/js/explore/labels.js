// The names of the regions over the map: buttons that zoom in. The largest regions come first. A
// name that would cover another one is hidden until there is room.

const GAP = 4; // pixels

export class Labels {
  /** `chosen(region)` is called on a click. */
  constructor(area, chosen) {
    this.area = area;
    this.chosen = chosen;
    this.labels = [];
  }

  /** `regions`: [{id, name, count, x, y, spread}, …], the largest first. */
  take(regions) {
    this.labels = regions.map((region) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "map-label";
      button.textContent = region.name;
      button.addEventListener("click", () => this.chosen(region));
      return { region, button };
    });
    this.area.replaceChildren(...this.labels.map(({ button }) => button));
    for (const label of this.labels) {
      label.width = label.button.offsetWidth;
      label.height = label.button.offsetHeight;
    }
  }

  arrange(view) {
    const taken = [];
    for (const { region, button, width, height } of this.labels) {
      const [x, y] = view.toScreen(region.x, region.y);
      const box = {
        left: x - width / 2 - GAP,
        top: y - height / 2 - GAP,
        right: x + width / 2 + GAP,
        bottom: y + height / 2 + GAP,
      };
      const inside = box.left >= 0 && box.top >= 0 && box.right <= view.width && box.bottom <= view.height;
      const free = inside && !taken.some((other) => overlap(box, other));
      button.classList.toggle("away", !free);
      if (!free) continue;
      taken.push(box);
      button.style.translate = `${Math.round(box.left + GAP)}px ${Math.round(box.top + GAP)}px`;
    }
  }
}

const overlap = (one, other) =>
  one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
