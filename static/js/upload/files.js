// The files of a choice or a drop, including the contents of folders.

import { looksLikePicture } from "clipsite/base/drops";

/**
 * Return the dropped files, and the pictures in dropped folders at any depth. The folders are read
 * part by part. Each part is {chosen: [{file, path}], skipped}, where `skipped` counts the files in
 * folders that are no pictures.
 */
export function droppedFiles(transfer) {
  // Take the entries now: the list is empty after the event.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  return entries.length ? opened(entries) : [chosenFiles(transfer.files)];
}

async function* opened(entries) {
  const folders = entries.filter((entry) => entry.isDirectory);
  const files = await Promise.all(entries.filter((entry) => entry.isFile).map(named));
  if (files.length) yield { chosen: files, skipped: 0 };
  while (folders.length) yield* picturesOf(folders.pop(), folders);
}

export const chosenFiles = (files) => ({ chosen: [...files].map(withPath), skipped: 0 });

/** Return the pictures of a chosen folder. The browser has read it already. */
export const folderFiles = (files) => pictures([...files].map(withPath));

/** Yield the pictures of `folder`. Its subfolders are added to `folders`. */
async function* picturesOf(folder, folders) {
  const reader = folder.createReader();
  for (;;) {
    // A reader returns about a hundred entries at a time, and none at the end.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    folders.push(...some.filter((entry) => entry.isDirectory));
    yield pictures(await Promise.all(some.filter((entry) => entry.isFile).map(named)));
  }
}

function pictures(all) {
  const chosen = all.filter(({ file }) => looksLikePicture(file));
  return { chosen, skipped: all.length - chosen.length };
}

const withPath = (file) => ({ file, path: file.webkitRelativePath || file.name });

async function named(entry) {
  const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
  return { file, path: entry.fullPath.replace(/^\//, "") };
}
