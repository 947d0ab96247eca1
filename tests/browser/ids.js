// In the page: every id, or word of the line that takes one, that meets the eye or is read
// out under `root`. Addresses and hidden fields may hold them.

(root) => {
  const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b|\b(like|upload):\S{8}/gi;
  const SAID = ["title", "aria-label", "alt", "placeholder", "aria-valuetext", "aria-description", "label"];
  const texts = root === document ? [document.title, document.body.innerText] : [root.innerText ?? ""];
  const own = root === document ? [...document.body.querySelectorAll("*")] : [root, ...root.querySelectorAll("*")];
  for (const element of own) {
    for (const name of SAID) texts.push(element.getAttribute(name) ?? "");
    const isField = element.matches("input:not([type=hidden], [type=checkbox], [type=radio], [type=file]), textarea");
    if (isField && element.checkVisibility()) texts.push(element.value);
    if (element.matches("option, .visually-hidden, [aria-live], [role=status]")) texts.push(element.textContent);
  }
  return [...new Set(texts.flatMap((text) => text.match(ID) ?? []))];
}
