// Copies of picture files for the browser to decode: without what browsers obey differently
// (orientation, colour profiles, clean aperture), or such that they show another reading of the file.
//
// Only the changed bytes are copied: a Blob is put together of pieces of the old one.

import { uint } from "./bytes.js";
import { itemSize, mainProperties } from "./items.js";
import { firstOf } from "./picture_headers.js";
import { gifColours, gifFrames, jpegSegments, pngChunks, startsWith, webpChunks } from "./picture_parts.js";

/** @typedef {{start: number, end: number, bytes: Uint8Array}} Edit bytes in the place of others */

const JPEG_LEFT_OUT = ["Exif\0\0", "ICC_PROFILE\0", "MPF\0"];
const PNG_LEFT_OUT = ["eXIf", "iCCP", "sRGB", "gAMA", "cHRM", "cICP", "mDCV", "cLLI"];
const WEBP_LEFT_OUT = ["EXIF", "ICCP"];
const NO_NAME = Uint8Array.of(0x58);
const END_OF_JPEG = Uint8Array.of(0xff, 0xd9);
const MAX_COLOURS = 256;

/**
 * @param {Blob} blob
 * @param {Edit[]} edits in order, none over another
 * @param {Uint8Array[]} [behind] added at the end
 */
export function editedBlob(blob, edits, behind = []) {
  const pieces = [];
  let place = 0;
  for (const { start, end, bytes } of edits) {
    pieces.push(blob.slice(place, start), bytes);
    place = end;
  }
  return new Blob(/** @type {BlobPart[]} */ ([...pieces, blob.slice(place), ...behind]));
}

/**
 * The file without what browsers obey and hashkit does not, or does itself.
 * @param {Blob} blob
 * @param {Uint8Array} bytes of the same file
 * @param {string} format
 * @param {boolean} ended false: a JPEG gets an end, or some decoders give up
 */
export function neutralBlob(blob, bytes, format, ended) {
  /** @type {Record<string, (bytes: Uint8Array) => Edit[]>} */
  const ways = { jpeg: jpegEdits, png: pngEdits, webp: webpEdits, avif: itemEdits };
  const edits = ways[format]?.(bytes) ?? [];
  return editedBlob(blob, edits, format === "jpeg" && !ended ? [END_OF_JPEG] : []);
}

/**
 * @param {Uint8Array} bytes
 * @returns {Edit[]}
 */
function jpegEdits(bytes) {
  const edits = [];
  for (const { begin } of jpegSegments(bytes)) {
    if (JPEG_LEFT_OUT.some((name) => startsWith(bytes, name, begin + 4))) {
      edits.push({ start: begin + 4, end: begin + 5, bytes: NO_NAME });
    }
  }
  return edits;
}

/**
 * @param {Uint8Array} bytes
 * @returns {Edit[]}
 */
function pngEdits(bytes) {
  const edits = [];
  for (const { name, begin, end } of pngChunks(bytes)) {
    if (PNG_LEFT_OUT.includes(name)) {
      edits.push({ start: begin - 8, end: end + 4, bytes: new Uint8Array(0) });
    }
  }
  return edits;
}

/**
 * @param {Uint8Array} bytes
 * @returns {Edit[]}
 */
function webpEdits(bytes) {
  const edits = [];
  for (const { name, begin } of webpChunks(bytes)) {
    if (WEBP_LEFT_OUT.includes(name)) {
      edits.push({ start: begin - 8, end: begin - 7, bytes: NO_NAME });
    }
  }
  return edits;
}

/**
 * No turn instead of a turn or a mirror, and the whole picture as the clean aperture: decoders that
 * have to know a property would refuse another name for it.
 * @param {Uint8Array} bytes
 * @returns {Edit[]}
 */
function itemEdits(bytes) {
  const edits = [];
  const properties = mainProperties(bytes);
  const [rotated, mirrored, aperture] = ["irot", "imir", "clap"].map((each) => properties.get(each));
  for (const box of [rotated, mirrored]) {
    if (box) {
      edits.push({ start: box.begin - 4, end: box.begin + 1, bytes: Uint8Array.from([0x69, 0x72, 0x6f, 0x74, 0]) });
    }
  }
  if (aperture && aperture.end - aperture.begin >= 32) {
    const whole = new DataView(new ArrayBuffer(32));
    const [width, height] = itemSize(bytes);
    [width, 1, height, 1, 0, 1, 0, 1].forEach((each, at) => whole.setUint32(4 * at, each));
    const start = aperture.begin;
    edits.push({ start, end: start + 32, bytes: new Uint8Array(whole.buffer) });
  }
  return edits.sort((a, b) => a.start - b.start);
}

/**
 * A GIF whose first frame shows the colours under its transparency.
 * @param {Blob} blob
 * @param {Uint8Array} bytes
 */
export function opaqueGif(blob, bytes) {
  return editedBlob(blob, opaqueEdits(bytes));
}

/**
 * @param {Uint8Array} bytes
 * @returns {Edit[]}
 */
function opaqueEdits(bytes) {
  return firstOf(gifFrames(bytes)).filter(({ control }) => control > 0).map(({ control }) => ({
    start: control, end: control + 1, bytes: Uint8Array.of(bytes[control] & ~1),
  }));
}

/**
 * A GIF or BMP whose colours are their own numbers, as shades of grey; null where it has no palette,
 * or one of just these.
 * @param {Blob} blob
 * @param {Uint8Array} bytes
 * @param {string} format
 */
export function numbersOfPalette(blob, bytes, format) {
  const table = format === "gif" ? gifTable(bytes) : bmpTable(bytes);
  if (table === null) {
    return null;
  }
  const { start, count, width } = table;
  const ramp = new Uint8Array(count * width);
  for (let index = 0; index < count; index += 1) {
    ramp.fill(index, index * width, index * width + 3);
  }
  const edits = [...(format === "gif" ? opaqueEdits(bytes) : []), { start, end: start + ramp.length, bytes: ramp }];
  return editedBlob(blob, edits.sort((a, b) => a.start - b.start));
}

/**
 * The colours of the first frame, if it is the whole picture and stays: any other is composed.
 * @param {Uint8Array} bytes
 */
function gifTable(bytes) {
  for (const { at, colours, disposal } of gifFrames(bytes)) {
    const [left, top, across, down] = [0, 2, 4, 6].map((each) => uint(bytes, at + each, 2, true));
    const whole = across >= uint(bytes, 6, 2, true) && down >= uint(bytes, 8, 2, true);
    const count = gifColours(bytes, colours > 0 ? at + 8 : 10);
    const table = { start: colours > 0 ? colours : 13, count, width: 3 };
    const plain = count === 0 || isRamp(bytes, table, [...Array(count).keys()]);
    return left + top > 0 || !whole || disposal === 3 || plain ? null : table;
  }
  return null;
}

/** @param {Uint8Array} bytes */
function bmpTable(bytes) {
  const header = uint(bytes, 14, 4, true);
  const old = header === 12;
  const bits = uint(bytes, old ? 24 : 28, 2, true);
  if (bits > 8) {
    return null;
  }
  const all = (!old && header >= 40 && uint(bytes, 46, 4, true)) || 2 ** bits;
  const table = { start: 14 + header, count: Math.min(all, MAX_COLOURS), width: old ? 3 : 4 };
  return isRamp(bytes, table, all === 2 ? [0, 255] : [...Array(table.count).keys()]) ? null : table;
}

/**
 * Whether the colours of a table are these shades of grey.
 * @param {Uint8Array} bytes
 * @param {{start: number, width: number}} table
 * @param {number[]} shades
 */
function isRamp(bytes, { start, width }, shades) {
  return shades.every((shade, index) =>
    [0, 1, 2].every((channel) => bytes[start + index * width + channel] === shade),
  );
}

/**
 * An icon file with this one picture.
 * @param {Blob} blob
 * @param {import("./picture_headers.js").IconEntry} icon
 */
export function onlyIcon(blob, { entry, at, end }) {
  const head = Uint8Array.of(0, 0, 1, 0, 1, 0);
  const place = Uint8Array.of(22, 0, 0, 0);
  return new Blob([head, blob.slice(entry, entry + 12), place, blob.slice(at, end)]);
}
