/** A button that shows the page on the whole screen and back; hidden where browsers cannot. */

/** @param {HTMLButtonElement} button */
export function offerFullscreen(button) {
  const document = button.ownerDocument;
  const isOn = () => document.fullscreenElement !== null;
  button.hidden = !document.fullscreenEnabled;
  button.addEventListener('click', async () => {
    try {
      await (isOn() ? document.exitFullscreen() : document.documentElement.requestFullscreen());
    } catch {
      button.hidden = true; // the browser has refused
    }
  });
  document.addEventListener('fullscreenchange', () => {
    button.setAttribute('aria-pressed', String(isOn()));
  });
}
