/** The last points of several measurements, and how they are drawn. */

const LIMIT = 60;

export class PointHistory {
  #series = new Map();

  /** @returns {number[]} the points of the series with the new one, oldest first */
  add(name, value) {
    const points = [...(this.#series.get(name) ?? []), value].slice(-LIMIT);
    this.#series.set(name, points);
    return points;
  }

  /** Forgets every series but these. */
  keep(names) {
    for (const name of this.#series.keys()) {
      if (!names.includes(name)) this.#series.delete(name);
    }
  }
}

/**
 * The newest point is at the right; before there are enough, the left stays empty.
 * @param {number[]} points @param {{width: number, height: number, top: number}} box `top`: the
 *        value at its upper edge
 * @returns {string} the points of an SVG polyline
 */
export function polyline(points, { width, height, top }) {
  const step = width / (LIMIT - 1);
  const left = width - step * (points.length - 1);
  return points
    .map((value, index) => {
      const y = height * (1 - Math.min(1, value / top));
      return `${round(left + step * index)},${round(y)}`;
    })
    .join(' ');
}

function round(value) {
  return Math.round(value * 100) / 100;
}
