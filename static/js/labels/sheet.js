// Printing the contact sheet. All its pictures are loaded first: those that were not looked at wait.

const button = document.querySelector("[data-print]");

button.hidden = false;
button.addEventListener("click", async () => {
  const images = [...document.querySelectorAll(".sheet img")];
  for (const image of images) image.loading = "eager";
  await Promise.allSettled(images.map((image) => image.decode()));
  window.print();
});
