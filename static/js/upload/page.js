// The upload page: accepts files and connects its parts.

import { acceptDrops, acceptPastes } from "clipsite/base/drops";
import { fill } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";
import { chosenFiles, droppedFiles, folderFiles } from "clipsite/upload/files";
import { Gallery } from "clipsite/upload/gallery";
import { Imports } from "clipsite/upload/imports";
import { Line } from "clipsite/upload/line";
import { Memory } from "clipsite/upload/memory";
import { Notice } from "clipsite/upload/notice";
import { Queue } from "clipsite/upload/queue";
import { Rows } from "clipsite/upload/rows";
import { Summary } from "clipsite/upload/summary";
import { Target } from "clipsite/upload/target";
import { Usage } from "clipsite/upload/usage";
import { VirtualList } from "clipsite/upload/virtual-list";

const element = (id) => document.getElementById(id);
element("needs-scripts").remove();
const config = JSON.parse(element("upload-config").textContent);
const { texts } = config;

const line = new Line({
  me: config.me,
  user: config.user,
  changed: () => {
    notice.show();
    queue.items.forEach((item) => item.state === "sending" && list.update(item));
  },
});
const notice = new Notice({ line, texts });
const usage = new Usage({ url: config.usage, line, texts, element: element("usage") });
const imports = new Imports({ url: config.imports, line, texts, ended: () => usage.refresh() });
const target = new Target({ url: config.albums, line, texts });
const queue = new Queue({
  config,
  line,
  usage,
  gallery: new Gallery({ config, line }),
  memory: new Memory(config.user),
  changed: (item) => {
    list.update(item);
    summary.changed();
  },
  followed: (batch) => imports.follow(batch),
});
const rows = new Rows({ queue, line, texts });
const list = new VirtualList(element("uploads"), {
  make: () => rows.make(),
  draw: (row, item) => rows.draw(row, item),
});
const summary = new Summary({ queue, texts, show: (items) => list.show(items) });

/** Add files. `parts` yields {chosen, skipped} while folders are read. */
async function add(parts) {
  const choice = await target.choice();
  const sums = { found: 0, skipped: 0, repeated: 0 };
  for await (const { chosen, skipped } of parts) {
    sums.found += chosen.length;
    sums.skipped += skipped;
    sums.repeated += queue.add(chosen, choice);
  }
  if (sums.skipped) toast(fill(texts.skipped, { count: sums.skipped }));
  else if (!sums.found) toast(texts.nothing);
  if (sums.repeated) toast(fill(texts.repeated, { count: sums.repeated }));
}

/** Take files from `field`. The user may have filled it before this script was loaded. */
function takeFrom(field, chosen) {
  const take = () => {
    if (!field.files.length) return;
    add([chosen(field.files)]);
    field.value = "";
  };
  field.addEventListener("change", take);
  take();
}

element("uploads").addEventListener("click", ({ target: clicked }) => {
  const control = clicked.closest("button");
  if (control) rows.clicked(control, list.itemOf(control));
});
for (const action of ["pause", "resume", "retry", "cancel"]) {
  element(`${action}-all`).addEventListener("click", () => queue[`${action}All`]());
}

element("by-address").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = element("addresses");
  const urls = field.value.split("\n").filter((line) => line.trim());
  const refusal = urls.length
    ? await imports.start({ urls, ...(await target.choice()) })
    : texts.noAddress;
  element("address-error").textContent = refusal;
  element("address-error").hidden = !refusal;
  field.setAttribute("aria-invalid", String(Boolean(refusal)));
  if (refusal) field.focus();
  else field.value = "";
});

takeFrom(element("files"), chosenFiles);
takeFrom(element("folder"), folderFiles);
element("folder-button").hidden = !("webkitdirectory" in HTMLInputElement.prototype);
acceptPastes((file) => add([chosenFiles([file])]));
acceptDrops({
  over: (hovers) => element("dropzone").classList.toggle("over", hovers),
  dropped: (transfer) => add(droppedFiles(transfer)),
});

// The user can leave the page without a warning if all uploads continue on the next visit.
addEventListener("beforeunload", (event) => {
  if (queue.busy && !queue.remembered) event.preventDefault();
});

// The user may have deleted pictures in another tab.
addEventListener("focus", () => line.state === "open" && usage.refresh());

usage.refresh();
imports.recall();
queue.recall();
