/** Writes MessagePack: what JSON can say, and bytes. */

const utf8 = new TextEncoder();
const MAX_SHORT_TEXT = 31;
const MAX_SHORT_LIST = 15;

/** @param {unknown} value made of null, booleans, numbers, text, bytes, lists and plain objects */
export function encodeMsgpack(value) {
  const parts = [];
  write(value, parts);
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function write(value, parts) {
  if (value === null) parts.push([0xc0]);
  else if (typeof value === 'boolean') parts.push([value ? 0xc3 : 0xc2]);
  else if (typeof value === 'number') parts.push(numberBytes(value));
  else if (typeof value === 'string') writeText(value, parts);
  else if (value instanceof Uint8Array) parts.push(sizeBytes(value.length, [0xc4, 0xc5, 0xc6]), value);
  else if (Array.isArray(value)) writeList(value, parts);
  else if (typeof value === 'object') writeMap(value, parts);
  else throw new TypeError(`MessagePack has no ${typeof value}`);
}

function writeText(text, parts) {
  const bytes = utf8.encode(text);
  const short = bytes.length <= MAX_SHORT_TEXT;
  parts.push(short ? [0xa0 | bytes.length] : sizeBytes(bytes.length, [0xd9, 0xda, 0xdb]), bytes);
}

function writeList(values, parts) {
  parts.push(listHead(values.length, 0x90, [null, 0xdc, 0xdd]));
  for (const value of values) write(value, parts);
}

/** Fields without a value are left out. */
function writeMap(object, parts) {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  parts.push(listHead(entries.length, 0x80, [null, 0xde, 0xdf]));
  for (const [key, value] of entries) {
    writeText(key, parts);
    write(value, parts);
  }
}

function listHead(length, short, codes) {
  return length <= MAX_SHORT_LIST ? [short | length] : sizeBytes(length, codes);
}

/** A size in the least of 8, 16 and 32 bits that there is a code for. */
function sizeBytes(size, [code8, code16, code32]) {
  if (code8 !== null && size < 0x100) return [code8, size];
  if (size < 0x10000) return [code16, size >> 8, size & 0xff];
  return [code32, ...bigEndian(4, (view) => view.setUint32(0, size))];
}

function numberBytes(number) {
  const whole = Number.isInteger(number);
  if (whole && number >= 0 && number < 0x80) return [number];
  if (whole && number < 0 && number >= -0x20) return [number & 0xff];
  if (whole && Math.abs(number) < 2 ** 31) {
    return [0xd2, ...bigEndian(4, (view) => view.setInt32(0, number))];
  }
  return [0xcb, ...bigEndian(8, (view) => view.setFloat64(0, number))];
}

function bigEndian(size, fill) {
  const view = new DataView(new ArrayBuffer(size));
  fill(view);
  return new Uint8Array(view.buffer);
}
