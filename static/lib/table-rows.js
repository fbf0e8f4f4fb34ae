/** The order of rows, and which of them match what somebody looks for. */

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/**
 * Equal rows stay in their order; those without a value come last either way.
 * @template Row
 * @param {Row[]} rows @param {(row: Row) => string | number | null} valueOf
 * @returns {Row[]}
 */
export function sortRows(rows, valueOf, descending = false) {
  const sign = descending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [first, second] = [valueOf(a) ?? null, valueOf(b) ?? null];
    if (first === null || second === null) return (first === null) - (second === null);
    return sign * compare(first, second);
  });
}

/** @returns {object[]} the rows whose text has every word of the query */
export function filterRows(rows, query, textOf) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = textOf(row).toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function compare(first, second) {
  if (typeof first === 'number' && typeof second === 'number') return first - second;
  return collator.compare(String(first), String(second));
}
