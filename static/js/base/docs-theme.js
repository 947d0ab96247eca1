// The theme of the page of the API: Swagger UI has a dark one, which a class of the root turns on.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const draw = () => {
    const chosen = root.dataset.theme; // by base/theme
    root.classList.toggle("dark-mode", chosen ? chosen === "dark" : system.matches);
  };
  system.addEventListener("change", draw);
  draw();
})();
