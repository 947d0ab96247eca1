// Dialogs of actions that need input: album, tags, visibility, download, final deletion. Sharing
// (share.js), and dates, titles and stars (details.js), have modules of their own.

import { act } from "clipsite/select/acts";
import { call, told } from "clipsite/select/api";
import { beginSharing } from "clipsite/select/share";
import { selection } from "clipsite/select/selection";
import { config, counted, texts } from "clipsite/select/texts";
import { toast } from "clipsite/base/toast";

const dialog = (name) => document.getElementById(`bulk-${name}`);

export function openDialog(name) {
  const opened = dialog(name);
  opened.querySelector("form")?.reset();
  for (const line of opened.querySelectorAll("[data-counted]")) {
    line.textContent = counted(texts[line.dataset.counted], selection.count, { n: "{n}" });
  }
  // htmx loads the lists of albums and tags on this event.
  opened.dispatchEvent(new CustomEvent("opened"));
  opened.showModal();
  if (name === "download") measure(opened);
  if (name === "share") beginSharing();
}

/** Run an action and, if it succeeded, close the dialog. */
export async function actAndClose(opened, action, parameters, album = null) {
  const done = await act(action, parameters, album);
  if (done) opened.close();
}

// --- Album ---

dialog("album").addEventListener("click", (event) => {
  const pick = event.target.closest("[data-pick]");
  if (pick) addTo({ id: pick.dataset.pick, title: pick.dataset.title });
  const create = event.target.closest("[data-create]");
  if (create) addToNew(create.dataset.create);
});

// Enter takes the first matching album, or creates it.
dialog("album").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  dialog("album").querySelector("[data-pick], [data-create]")?.click();
});

function addToNew(title) {
  return told(async () => {
    await addTo(await call("POST", config.albums, { title }));
  });
}

const addTo = (album) =>
  actAndClose(dialog("album"), "add_to_album", { album: album.id }, { id: album.id, title: album.title });

// --- Tags ---

dialog("tags").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const typed = form.elements.typed.value.split(/[,，、\n]/);
  const ticked = [...form.querySelectorAll("[name=tags]:checked")].map(({ value }) => value);
  const tags = [...new Set([...ticked, ...typed.map((tag) => tag.trim())].filter(Boolean))];
  if (!tags.length) return toast(texts.noTags);
  const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
  actAndClose(dialog("tags"), button?.value ?? "add_tags", { tags });
});

// --- Visibility ---

dialog("visibility").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const { value } = event.target.elements.visibility;
  actAndClose(dialog("visibility"), "set_visibility", { visibility: value });
});

// --- Download ---

async function measure(opened) {
  const line = opened.querySelector("[data-size]");
  const go = opened.querySelector("[data-go]");
  line.textContent = texts.measuring;
  go.disabled = true;
  const known = await told(async () => {
    const { count, bytes } = await call("POST", config.count, { selection: selection.spec });
    line.textContent = counted(texts.size, count, { size: megabytes(bytes) });
    go.disabled = !count;
  });
  if (!known) opened.close();
}

const megabytes = (bytes) => {
  const large = bytes >= 1e9;
  const format = new Intl.NumberFormat(document.documentElement.lang, {
    style: "unit",
    unit: large ? "gigabyte" : "megabyte",
    maximumFractionDigits: 1,
  });
  return format.format(Math.max(bytes / (large ? 1e9 : 1e6), 0.1));
};

dialog("download").querySelector("[data-go]").addEventListener("click", () =>
  told(async () => {
    const { url } = await call("POST", config.downloads, { selection: selection.spec });
    dialog("download").close();
    toast(texts.downloading);
    location.assign(url);
  }),
);

// --- Final deletion ---

dialog("purge").querySelector("[data-go]").addEventListener("click", () => {
  actAndClose(dialog("purge"), "purge");
});
