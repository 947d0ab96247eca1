// Files dragged from the desktop onto the page.

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

/**
 * Accept files dropped onto the page. `over(bool)` shows whether a file hovers, and
 * `dropped(dataTransfer)` takes it. Child elements send these events too, so entries are counted.
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

/** Call `pasted(file)` for a picture from the clipboard. */
export function acceptPastes(pasted) {
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find(looksLikePicture);
    if (!file) return;
    event.preventDefault();
    pasted(file);
  });
}

/** Whether a file is a picture by its type, or by its name if the system has no type for it (often
 *  HEIC). */
export const looksLikePicture = (file) =>
  file.type.startsWith("image/") ||
  (!file.type && /\.(jpe?g|png|webp|avif|hei[cf]|gif|tiff?|bmp)$/i.test(file.name));

/** Put a file into a file field, as if the user had chosen it. */
export function putFile(field, file) {
  const carrier = new DataTransfer();
  carrier.items.add(file);
  field.files = carrier.files;
}
