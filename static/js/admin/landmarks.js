// What the pages of the administration lack for screen readers and keyboards: a main part, regions
// that differ, and tables that scroll by keys.

addEventListener("load", () => {
  document.getElementById("main")?.setAttribute("role", "main");
  for (const part of document.querySelectorAll("[role=region][aria-label='scrollable content']")) {
    part.setAttribute("role", "group");
  }
  for (const part of document.querySelectorAll(".overflow-x-auto")) {
    part.setAttribute("tabindex", "0");
  }
});
