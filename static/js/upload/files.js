// The files of a choice or a drop, folders opened.

import { looksLikePicture } from "clipsite/base/drops";

/**
 * What was dropped: files as they are, and of folders, at any depth, the pictures, a
 * part at a time as they are read. Gives {chosen: [{file, path}], skipped} again and
 * again: `skipped` counts what in the folders is no picture.
 */
export function droppedFiles(transfer) {
  // The list is emptied as soon as the event is over: take the entries now.
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

/** A folder that was chosen: the browser has opened it already. */
export const folderFiles = (files) => pictures([...files].map(withPath));

/** The pictures of `folder`; the folders in it are added to `folders`. */
async function* picturesOf(folder, folders) {
  const reader = folder.createReader();
  for (;;) {
    // A reader gives a hundred at a time and nothing at the end.
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
