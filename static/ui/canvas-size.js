/** Gives a canvas as many pixels as the screen has there. @returns {[number, number]} its CSS size */
export function fitCanvas(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const pixels = [width, height].map((length) => Math.round(length * devicePixelRatio));
  if (canvas.width !== pixels[0]) canvas.width = pixels[0];
  if (canvas.height !== pixels[1]) canvas.height = pixels[1];
  canvas.getContext('2d').setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  return [width, height];
}

/** The colours of the theme in use: of each element below `legend` that has `data-colour`. */
export function readColours(legend) {
  const swatches = [...legend.querySelectorAll('[data-colour]')];
  return Object.fromEntries(
    swatches.map((swatch) => [swatch.dataset.colour, getComputedStyle(swatch).color]),
  );
}
