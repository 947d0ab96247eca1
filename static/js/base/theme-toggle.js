// Switches between dark and light. A choice equal to the system's theme is not stored: the page
// then follows the system again.

import { message } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";

const system = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;

const current = () => root.dataset.theme || (system.matches ? "dark" : "light");

export function toggleTheme() {
  const theme = current() === "dark" ? "light" : "dark";
  const likeSystem = (theme === "dark") === system.matches;
  if (likeSystem) delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    if (likeSystem) localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // Storage is forbidden: the choice lasts for this page.
  }
  toast(message(theme === "dark" ? "darkOn" : "lightOn"));
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-theme-toggle]")) toggleTheme();
});
