// "New album" asks in a dialog instead of on a page of its own.

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-open-dialog]");
  const dialog = link && document.getElementById(link.dataset.openDialog);
  if (!dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  dialog.showModal();
});
