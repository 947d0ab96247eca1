// Adds the picture of the page to an album, or to a new one.

import { call, told } from "clipsite/select/api";
import { toast } from "clipsite/base/toast";

const dialog = () => document.getElementById("to-album");

function open() {
  dialog().querySelector("form").reset();
  // htmx loads the list of albums on this event.
  dialog().dispatchEvent(new CustomEvent("opened"));
  dialog().showModal();
}

/** Add the picture. `find()` resolves to the id of the album. */
function add(find) {
  const { bulk, added, there } = dialog().dataset;
  const image = document.querySelector("[data-add-to-album]").dataset.addToAlbum;
  return told(async () => {
    const parameters = { action: "add_to_album", album: await find() };
    const answer = await call("POST", bulk, { selection: { ids: [image] }, ...parameters });
    dialog().close();
    const undo = answer.undo && (() => takeBack(answer.undo));
    toast(answer.changed ? added : there, undo);
    showAgain();
  });
}

const takeBack = (address) => told(async () => {
  await call("POST", address);
  showAgain();
});

/** Reload what the panel says of the albums with the picture and of the people who see it. */
function showAgain() {
  const notes = { target: "#marks", select: "#marks", swap: "outerHTML" };
  window.htmx.ajax("GET", location.pathname, notes);
}

// The notes also say with whom the picture is shared (clipsite/sharing/dialog).
document.addEventListener("sharing:changed", showAgain);

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-add-to-album]")) open();
  const pick = event.target.closest("#to-album [data-pick]");
  if (pick) add(() => pick.dataset.pick);
  const create = event.target.closest("#to-album [data-create]");
  if (create) add(async () => {
    const album = await call("POST", dialog().dataset.albums, { title: create.dataset.create });
    return album.id;
  });
});

// Enter takes the first matching album, or creates it.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-pick-album]")) return;
  event.preventDefault();
  dialog().querySelector("[data-pick], [data-create]")?.click();
});
