// The scroll bar of the timeline. A place on it corresponds to the same relative place on the page,
// so a year's share of it depends on its number of pictures.

// The free space below the header and the least distance of two years, in pixels.
const AIR = 12;
const YEAR_APART = 26;
const BUBBLE_STAYS = 900; // ms

/** Start the bar. `sections` are the months, with {name, label, counted, year} as data. */
export function startScrubber(bar, sections) {
  const bubble = bar.querySelector(".scrubber-bubble");
  const years = bar.querySelector(".scrubber-years");
  const months = sections[0].parentElement;
  let current = 0;
  let chosen = null; // the month chosen by key, which may be unable to reach the header
  let pointed = null; // the place under a mouse that presses no button
  let hiding;
  let resting;

  // --- The page and the bar -------------------------------------------------------

  const covered = () => document.querySelector(".header").offsetHeight + AIR;
  const first = () => months.getBoundingClientRect().top + window.scrollY - covered();
  const length = () => Math.max(1, months.offsetHeight - window.innerHeight + covered());

  const share = () => clamp((window.scrollY - first()) / length());

  function goToShare(wanted) {
    window.scrollTo({ top: first() + wanted * length(), behavior: "instant" });
  }

  function goToMonth(number) {
    const section = sections[Math.min(Math.max(number, 0), sections.length - 1)];
    const top = section.getBoundingClientRect().top + window.scrollY - covered();
    chosen = sections.indexOf(section);
    window.scrollTo({ top, behavior: "instant" });
    follow();
  }

  /** Return the number of the month at a place of the bar. At its top this is the month below the
   *  header, at its end the last one. */
  function monthAt(wanted) {
    const onScreen = covered() + 1 + wanted * (window.innerHeight - covered());
    const line = onScreen + first() + wanted * length() - window.scrollY;
    let low = 0;
    let high = sections.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (sections[middle].getBoundingClientRect().top <= line) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  function show(number) {
    current = number;
    const { label, counted } = sections[number].dataset;
    bar.setAttribute("aria-valuenow", number + 1);
    bar.setAttribute("aria-valuetext", `${label}, ${counted}`);
    bar.style.setProperty("--at", share());
    if (pointed === null) tell(number, share());
  }

  function tell(number, at) {
    const { label, counted } = sections[number].dataset;
    bubble.firstElementChild.textContent = label;
    bubble.lastElementChild.textContent = counted;
    bar.style.setProperty("--bubble-at", at);
  }

  function follow() {
    show(chosen ?? monthAt(share()));
  }

  function drawYears() {
    const height = bar.clientHeight;
    let last = -Infinity;
    years.replaceChildren();
    sections.forEach((section, number) => {
      const { year } = section.dataset;
      if (number && sections[number - 1].dataset.year === year) return;
      const at = clamp((section.offsetTop - sections[0].offsetTop) / length()) * height;
      if (at - last < YEAR_APART) return;
      last = at;
      const label = document.createElement("span");
      label.textContent = year;
      label.style.top = `${at}px`;
      years.append(label);
    });
  }

  // --- Input ----------------------------------------------------------------------

  function reveal() {
    clearTimeout(hiding);
    bubble.hidden = false;
    bar.classList.add("in-use");
  }

  function hideSoon() {
    clearTimeout(hiding);
    hiding = setTimeout(() => {
      bubble.hidden = true;
      bar.classList.remove("in-use");
    }, BUBBLE_STAYS);
  }

  function shareAt(event) {
    const box = bar.getBoundingClientRect();
    return clamp((event.clientY - box.top) / box.height);
  }

  function drag(event) {
    pointed = null;
    goToShare(shareAt(event));
    follow();
  }

  function hover(event) {
    pointed = shareAt(event);
    tell(monthAt(pointed), pointed);
    reveal();
  }

  bar.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    bar.setPointerCapture(event.pointerId);
    bar.focus({ preventScroll: true });
    reveal();
    drag(event);
  });
  bar.addEventListener("pointermove", (event) => {
    if (bar.hasPointerCapture(event.pointerId)) drag(event);
    else if (event.pointerType === "mouse") hover(event);
  });
  bar.addEventListener("pointerleave", (event) => {
    if (bar.hasPointerCapture(event.pointerId)) return;
    pointed = null;
    hideSoon();
  });
  for (const name of ["pointerup", "pointercancel"]) bar.addEventListener(name, hideSoon);

  const steps = {
    ArrowUp: () => current - 1,
    ArrowLeft: () => current - 1,
    ArrowDown: () => current + 1,
    ArrowRight: () => current + 1,
    PageUp: () => yearFrom(-1),
    PageDown: () => yearFrom(1),
    Home: () => 0,
    End: () => sections.length - 1,
  };

  /** Return the first month of the next year, or of the current or previous one. */
  function yearFrom(step) {
    const { year } = sections[current].dataset;
    if (step > 0) {
      const next = sections.findIndex((one, at) => at > current && one.dataset.year !== year);
      return next < 0 ? sections.length - 1 : next;
    }
    const begin = sections.findIndex((one) => one.dataset.year === year);
    if (begin < current || !begin) return begin;
    return sections.findIndex((one) => one.dataset.year === sections[begin - 1].dataset.year);
  }

  bar.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // elsewhere the arrows belong to the grid
    pointed = null;
    reveal();
    goToMonth(step());
    hideSoon();
  });

  for (const name of ["wheel", "touchmove", "pointerdown"]) {
    window.addEventListener(name, () => (chosen = null), { passive: true, capture: true });
  }

  bar.hidden = false;
  window.addEventListener("scroll", () => {
    bar.classList.add("scrolling");
    clearTimeout(resting);
    resting = setTimeout(() => bar.classList.remove("scrolling"), BUBBLE_STAYS);
    requestAnimationFrame(follow);
  }, { passive: true });
  new ResizeObserver(() => {
    drawYears();
    follow();
  }).observe(months);
}

const clamp = (share) => Math.min(1, Math.max(0, share));
