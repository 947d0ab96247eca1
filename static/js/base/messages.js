// The messages in the page's language, and filling in their placeholders.

const texts = JSON.parse(document.getElementById("messages").textContent);

export const message = (key) => texts[key];

/** "{done} of {all}" and {done: 1, all: 2} -> "1 of 2". Numbers follow the page's language. */
export function fill(text, values) {
  const language = document.documentElement.lang;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? value.toLocaleString(language) : value;
  });
}
