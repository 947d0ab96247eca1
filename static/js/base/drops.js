// Files dragged from the desktop onto the page.

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

/**
 * `over(bool)` shows whether a file hovers; `dropped(dataTransfer)` takes it.
 * Leaving a child fires as well, so entries are counted.
 */
export function acceptDrops({ over, dropped }) {
  let depth = 0;
  const enter = (change) => (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = Math.max(0, depth + change);
    over(depth > 0);
  };
  document.addEventListener("dragenter", enter(1));
  document.addEventListener("dragleave", enter(-1));
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    over(false);
    dropped(event.dataTransfer);
  });
}

/** `pasted(file)` takes a picture from the clipboard. */
export function acceptPastes(pasted) {
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find(looksLikePicture);
    if (!file) return;
    event.preventDefault();
    pasted(file);
  });
}

/** By type, or by name where the system knows no type for it (HEIC, often). */
export const looksLikePicture = (file) =>
  file.type.startsWith("image/") ||
  (!file.type && /\.(jpe?g|png|webp|avif|hei[cf]|gif|tiff?|bmp)$/i.test(file.name));

/** Put a file into a file field, as if it had been chosen there. */
export function putFile(field, file) {
  const carrier = new DataTransfer();
  carrier.items.add(file);
  field.files = carrier.files;
}
