// The files of a choice or a drop, folders opened.

import { looksLikePicture } from "clipsite/drops";

/**
 * What was dropped: files as they are, and of folders, at any depth, the pictures.
 * Resolves to {files, skipped}: `skipped` counts what in the folders is no picture.
 */
export async function droppedFiles(transfer) {
  // The list is emptied as soon as the event is over: take the entries now.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return { files: [...transfer.files], skipped: 0 };
  const files = [];
  const inFolders = [];
  for (const entry of entries) {
    if (entry.isFile) files.push(await fileOf(entry));
    else await collect(entry, inFolders);
  }
  return join(files, inFolders);
}

/** The same for a chosen folder. */
export const folderFiles = (files) => join([], files);

function join(files, inFolders) {
  const pictures = inFolders.filter(looksLikePicture);
  return { files: [...files, ...pictures], skipped: inFolders.length - pictures.length };
}

async function collect(folder, found) {
  for (const entry of await entriesOf(folder)) {
    if (entry.isDirectory) await collect(entry, found);
    else found.push(await fileOf(entry));
  }
}

const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

async function entriesOf(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    // A reader gives a hundred at a time and nothing at the end.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}
