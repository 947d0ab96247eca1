// Full screen: the whole document, so that notices and dialogs are seen there too. Controls and
// pointer disappear while nothing moves.

const IDLE = 3000; // ms
let timer;

export const isFull = () => Boolean(document.fullscreenElement);

export function enterFullScreen() {
  // Refused without a gesture of the user; some phones have it for films only.
  if (!isFull()) document.documentElement.requestFullscreen?.().catch(() => null);
}

export function leaveFullScreen() {
  if (isFull()) document.exitFullscreen();
}

export function toggleFullScreen() {
  if (isFull()) leaveFullScreen();
  else enterFullScreen();
  return true;
}

/** Mark `stage` as idle while it fills the screen and nothing moves. */
export function hideWhenIdle(stage) {
  const wake = () => {
    clearTimeout(timer);
    stage.classList.remove("idle");
    if (isFull()) timer = setTimeout(() => stage.classList.add("idle"), IDLE);
  };
  for (const kind of ["pointermove", "pointerdown", "focusin"]) stage.addEventListener(kind, wake);
  document.addEventListener("fullscreenchange", wake);
}
