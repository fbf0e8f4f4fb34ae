/** Takes files dropped anywhere on the page, and shows that it will. */

/**
 * @param {HTMLElement} target receives the events
 * @param {HTMLElement} overlay shown while files hover
 * @param {(files: File[]) => void} onFiles
 */
export function acceptDrops(target, overlay, onFiles) {
  let depth = 0; // enter and leave also fire for every child
  const show = (change) => {
    depth = Math.max(0, depth + change);
    overlay.hidden = depth === 0;
  };
  const withFiles = (handle) => (event) => {
    if (event.dataTransfer?.types.includes('Files')) handle(event);
  };
  target.addEventListener('dragenter', withFiles(() => show(1)));
  target.addEventListener('dragleave', withFiles(() => show(-1)));
  target.addEventListener('dragover', withFiles((event) => event.preventDefault()));
  target.addEventListener('drop', withFiles((event) => {
    event.preventDefault();
    show(-depth);
    onFiles([...event.dataTransfer.files]);
  }));
}
