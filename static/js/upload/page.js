// The upload page: takes files in, shows the queue, warns before leaving.

import { acceptDrops, acceptPastes } from "clipsite/drops";
import { fill } from "clipsite/messages";
import { toast } from "clipsite/toast";
import { droppedFiles, folderFiles } from "clipsite/upload/files";
import { Queue } from "clipsite/upload/queue";
import { Rows } from "clipsite/upload/rows";

const element = (id) => document.getElementById(id);
element("needs-scripts").remove();
const config = JSON.parse(element("upload-config").textContent);
const { texts } = config;

const queue = new Queue({
  config,
  csrfToken: document.querySelector("input[name=csrfmiddlewaretoken]").value,
  visibility: () => document.querySelector("input[name=visibility]:checked").value,
  changed: (item) => {
    rows.update(item);
    scheduleSummary();
  },
});
const rows = new Rows(queue, texts);

function add({ files, skipped }) {
  if (skipped) toast(fill(texts.skipped, { count: skipped }));
  if (!files.length) return skipped ? undefined : toast(texts.nothing);
  element("queue").hidden = false;
  queue.add(files);
}

let scheduled = false;

/** Once a frame, however many files changed. */
function scheduleSummary() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    showSummary();
  });
}

function showSummary() {
  const count = (state) => queue.counts[state] ?? 0;
  const [ready, duplicates, failed] = ["ready", "duplicate", "failed"].map(count);
  const all = queue.items.length - count("cancelled");
  const finished = !queue.busy && !count("pending");
  element("overall").value = queue.fraction;
  element("retry-all").hidden = !queue.items.some(({ state, kept }) => state === "failed" && !kept);
  element("cancel-all").hidden = !queue.busy;
  element("done").hidden = queue.busy || !(ready + duplicates + count("pending"));
  const line = finished
    ? fill(texts.allDone, { ready, duplicates, failed })
    : [
        fill(texts.summary, { done: ready + duplicates + failed, all }),
        count("pending") ? fill(texts.summaryEncoding, { encoding: count("pending") }) : "",
        failed ? fill(texts.summaryFailed, { failed }) : "",
      ]
        .filter(Boolean)
        .join(" · ");
  if (element("summary").textContent !== line) element("summary").textContent = line;
}

/** `field` may have been filled already, while this script was on its way. */
function takeFrom(field, chosen) {
  const take = () => {
    if (!field.files.length) return;
    add(chosen([...field.files]));
    field.value = "";
  };
  field.addEventListener("change", take);
  take();
}

takeFrom(element("files"), (files) => ({ files, skipped: 0 }));
takeFrom(element("folder"), folderFiles);
element("folder-button").hidden = !("webkitdirectory" in HTMLInputElement.prototype);
element("retry-all").addEventListener("click", () => queue.retryAll());
element("cancel-all").addEventListener("click", () => queue.cancelAll());

acceptPastes((file) => add({ files: [file], skipped: 0 }));
acceptDrops({
  over: (hovers) => element("dropzone").classList.toggle("over", hovers),
  dropped: async (transfer) => add(await droppedFiles(transfer)),
});

window.addEventListener("beforeunload", (event) => {
  if (queue.busy) event.preventDefault();
});
