// In the page: opens every panel, menu and dialog that it has, one after the other, and
// tells what of them cannot be reached, and where an id is shown. Returns a list of
// sentences. Panels that a script fetches are those whose openers say so (aria-haspopup):
// `FETCH` says whether to ask for them, and for suggestions. `IDS` is ids.js.

async (FETCH) => {
  const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const SLACK = 1.5; // pixels: outlines and rounding
  const faults = [];
  const isSeen = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
  const name = (element) =>
    (element.getAttribute("aria-label") || element.id || element.name || element.textContent.trim() || element.tagName).slice(0, 40);
  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const until = async (test) => {
    for (let tries = 0; tries < 80; tries++) {
      const found = test();
      if (found) return found;
      await pause(25);
    }
    return null;
  };

  /** Scrolled to, it lies inside the window, and a click on it hits it. */
  const reach = (control) => {
    control.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
    const { left, top, right, bottom, width, height } = control.getBoundingClientRect();
    const inside = left >= -SLACK && right <= innerWidth + SLACK && top >= -SLACK && bottom <= innerHeight + SLACK;
    if (!inside) return `lies at ${Math.round(left)}..${Math.round(right)}, ${Math.round(top)}..${Math.round(bottom)}`;
    const hit = document.elementFromPoint(left + width / 2, top + height / 2);
    const label = control.closest("label");
    const isHit = hit && (control.contains(hit) || hit.contains(control) || label?.contains(hit));
    return isHit ? "" : `is covered by ${hit ? hit.outerHTML.slice(0, 80) : "nothing"}`;
  };

  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

  const look = async (panel, what) => {
    for (const control of [...panel.querySelectorAll(CONTROLS)].filter(isSeen)) {
      if (control.closest(".visually-hidden")) continue;
      let fault = reach(control);
      if (fault) {
        await frame(); // what was still moving stands
        fault = isSeen(control) ? reach(control) : "";
      }
      if (fault) faults.push(`${what}: “${name(control)}” ${fault}`);
    }
    for (const text of IDS(panel)) faults.push(`${what}: shows ${text}`);
  };

  await frame(); // grids have been laid out for this width

  const home = () => window.scrollTo({ top: 0, behavior: "instant" });

  for (const details of document.querySelectorAll("details")) {
    if (!isSeen(details.querySelector("summary"))) continue;
    details.querySelector("summary").click();
    await pause(0);
    await until(() => !details.querySelector(":scope > [hx-get]")); // what comes with opening
    if (details.open) await look(details, `details “${name(details.querySelector("summary"))}”`);
    details.open = false;
    home();
  }

  // The bar of what can be done with chosen pictures, and its menus.
  document.querySelector("[data-selection] [data-check]")?.click();
  const bar = document.getElementById("bulk-bar");
  if (bar && isSeen(bar)) await look(bar, "bar of acts");

  for (const popover of document.querySelectorAll("[popover]")) {
    const openers = [...document.querySelectorAll(`[popovertarget="${popover.id}"], [aria-controls="${popover.id}"][aria-haspopup]`)];
    const opener = openers.find(isSeen);
    if (opener) {
      opener.scrollIntoView({ block: "nearest", behavior: "instant" });
      opener.click();
    } else if (!openers.length) popover.showPopover();
    await pause(0);
    if (!popover.matches(":popover-open")) continue;
    await until(() => !popover.querySelector("div.filter-form[hx-get]")); // what comes with opening
    await look(popover, `menu “${popover.id}”`);
    popover.hidePopover();
    home();
  }

  // What a script has fetched stays in the page, and is looked at with the others below.
  if (FETCH) for (const opener of [...document.querySelectorAll("[aria-haspopup=dialog]")].filter(isSeen)) {
    opener.click();
    const dialog = await until(() => document.querySelector("dialog[open]"));
    if (!dialog) faults.push(`“${name(opener)}” opens no dialog`);
    dialog?.close();
  }

  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.showModal();
    await look(dialog, `dialog “${dialog.id || name(dialog)}”`);
    dialog.close();
  }

  if (FETCH) for (const field of [...document.querySelectorAll("[role=combobox]")].filter(isSeen)) {
    field.focus();
    const typed = field.value;
    field.value ||= "co"; // something that begins like "color:"
    field.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true, cancelable: true }));
    const list = document.getElementById(field.getAttribute("aria-controls"));
    if (await until(() => !list.hidden && isSeen(list))) {
      const { left, right } = list.getBoundingClientRect();
      if (left < -SLACK || right > innerWidth + SLACK) faults.push(`suggestions lie at ${left}..${right}`);
      for (const text of IDS(list)) faults.push(`suggestions show ${text}`);
    } else faults.push("there are no suggestions");
    field.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true }));
    field.value = typed;
    field.blur();
  }
  document.querySelector("#bulk-bar [data-clear]")?.click();
  home();
  return [...new Set(faults)];
}
