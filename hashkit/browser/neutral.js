// Copies of picture files for the browser to decode: without what browsers obey differently
// (orientation, colour profiles, clean aperture), or such that they show another reading of it.
//
// Only the changed bytes are copied: a Blob is put together of pieces of the old one.

import { uint } from "./bytes.js";
import { alphaNames, propertyLinksTo } from "./items.js";
import { atMostOne } from "./picture_headers.js";
import {
  gifColours, gifFrames, joined, jpegSegments, pngChunks, startsWith, webpChunks,
} from "./picture_parts.js";

/** @typedef {{start: number, end: number, bytes: Uint8Array}} Edit bytes in the place of others */

const JPEG_LEFT_OUT = ["Exif\0\0", "ICC_PROFILE\0", "MPF\0"];
const PNG_LEFT_OUT = ["eXIf", "iCCP", "sRGB", "gAMA", "cHRM", "cICP", "mDCV", "cLLI"];
const WEBP_LEFT_OUT = ["EXIF", "ICCP"];
const ITEM_LEFT_OUT = ["irot", "imir", "clap"];
const NO_LETTER = Uint8Array.of(0x58);
const END_OF_JPEG = Uint8Array.of(0xff, 0xd9);
const HEAD_BYTES = 64;

/** @type {Record<string, (bytes: Uint8Array) => Edit[]>} */
const NEUTRAL_EDITS = {
  jpeg: jpegEdits, png: pngEdits, webp: webpEdits, avif: itemEdits, gif: gifEdits, bmp: bmpEdits,
};

/**
 * @param {Blob} blob
 * @param {Uint8Array} bytes of the same file
 * @param {Edit[]} edits in order, none over another
 * @param {Uint8Array[]} [behind] added at the end
 */
function editedBlob(blob, bytes, edits, behind = []) {
  const early = edits.filter(({ start }) => start < HEAD_BYTES);
  let place = Math.max(HEAD_BYTES, early.at(-1)?.end ?? 0);
  // Firefox looks for the format in the first piece alone, so that is not to be too short.
  const pieces = [new Blob([headOf(bytes.subarray(0, place), early)])];
  for (const { start, end, bytes: added } of edits.slice(early.length)) {
    pieces.push(blob.slice(place, start), new Blob([/** @type {BlobPart} */ (added)]));
    place = end;
  }
  return new Blob([...pieces, blob.slice(place), .../** @type {BlobPart[]} */ (behind)]);
}

/**
 * @param {Uint8Array} head
 * @param {Edit[]} edits
 */
function headOf(head, edits) {
  const parts = [];
  let place = 0;
  for (const { start, end, bytes } of edits) {
    parts.push(head.subarray(place, start), bytes);
    place = end;
  }
  return joined([...parts, head.subarray(place)]);
}

/**
 * The file without what browsers obey and hashkit does not, or does itself.
 * @param {Blob} blob
 * @param {Uint8Array} bytes of the same file
 * @param {string} format
 * @param {boolean} ended false: a JPEG gets an end, or some decoders give up
 */
export function neutralBlob(blob, bytes, format, ended) {
  const edits = NEUTRAL_EDITS[format]?.(bytes) ?? [];
  return editedBlob(blob, bytes, edits, format === "jpeg" && !ended ? [END_OF_JPEG] : []);
}

/**
 * @param {Uint8Array} bytes
 * @returns {Edit[]}
 */
function jpegEdits(bytes) {
  const edits = [];
  for (const { begin } of jpegSegments(bytes)) {
    if (JPEG_LEFT_OUT.some((name) => startsWith(bytes, name, begin + 4))) {
      edits.push({ start: begin + 4, end: begin + 5, bytes: NO_LETTER });
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
      edits.push({ start: begin - 8, end: begin - 7, bytes: NO_LETTER });
    }
  }
  return edits;
}

/**
 * The links from the picture to its turn, mirror and clean aperture become links to nothing.
 * @param {Uint8Array} bytes
 * @returns {Edit[]}
 */
function itemEdits(bytes) {
  return propertyLinksTo(bytes, ITEM_LEFT_OUT).map(({ begin, end }) => ({
    start: begin, end, bytes: new Uint8Array(end - begin),
  }));
}

/**
 * Where a GIF says that it is of the older kind, Firefox and WebKit take the size of its first
 * frame for that of the picture.
 * @param {Uint8Array} bytes
 * @returns {Edit[]}
 */
function gifEdits(bytes) {
  return startsWith(bytes, "GIF87a") ? [{ start: 4, end: 5, bytes: Uint8Array.of(0x39) }] : [];
}

/**
 * @param {Uint8Array} bytes
 * @returns {Edit[]}
 */
function bmpEdits(bytes) {
  const table = bmpTable(bytes);
  if (table !== null && table.count < table.full) {
    // WebKit gives up at a number that the table does not have: black, elsewhere.
    const colours = new Uint8Array(table.full * table.width);
    colours.set(bytes.subarray(table.start, table.start + table.count * table.width));
    return tableEdits(bytes, table, colours);
  }
  const [header, coding] = [uint(bytes, 14, 4, true), uint(bytes, 30, 4, true)];
  const raw = header >= 40 && coding === 0 && uint(bytes, 28, 2, true) === 32;
  return raw ? maskEdits(bytes, Math.min(16, header - 40)) : [];
}

/**
 * Of 32 bits, WebKit and Chromium take those for transparency that mean nothing: so the file says
 * by masks which ones are colours.
 * @param {Uint8Array} bytes
 * @param {number} room for masks that there is: longer headers have it, the short one has not
 * @returns {Edit[]}
 */
function maskEdits(bytes, room) {
  const masks = lowestFirst(0xff0000, 0xff00, 0xff, 0);
  return [
    { start: 10, end: 14, bytes: lowestFirst(uint(bytes, 10, 4, true) + (room > 0 ? 0 : 12)) },
    { start: 30, end: 31, bytes: Uint8Array.of(3) },
    { start: 54, end: 54 + room, bytes: masks.subarray(0, room || 12) },
  ];
}

/** @param {number[]} values of 32 bits each */
function lowestFirst(...values) {
  const numbers = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, at) => numbers.setUint32(4 * at, value, true));
  return new Uint8Array(numbers.buffer);
}

/**
 * A table of colours of full length in the place of that of a BMP.
 * @param {Uint8Array} bytes
 * @param {ColourTable} table
 * @param {Uint8Array} colours
 * @returns {Edit[]}
 */
function tableEdits(bytes, { start, count, full, width }, colours) {
  const edits = [{ start, end: start + count * width, bytes: colours }];
  if (count < full) {
    const behind = uint(bytes, 10, 4, true) + (full - count) * width;
    edits.unshift(
      { start: 10, end: 14, bytes: lowestFirst(behind) },
      { start: 46, end: 50, bytes: lowestFirst(0) },
    );
  }
  return edits;
}

/**
 * The file without its transparency; null where that cannot be taken out.
 * @param {Blob} blob
 * @param {Uint8Array} bytes
 * @param {string} format
 */
export function opaqueBlob(blob, bytes, format) {
  /** @type {Record<string, (bytes: Uint8Array) => Edit[]>} */
  const ways = { gif: opaqueGifEdits, webp: opaqueWebpEdits, avif: opaqueItemEdits };
  const edits = ways[format](bytes);
  if (edits.length === 0) {
    return null;
  }
  const all = [...(NEUTRAL_EDITS[format]?.(bytes) ?? []), ...edits];
  return editedBlob(blob, bytes, all.sort((a, b) => a.start - b.start));
}

/**
 * Of a first frame that others are laid on, what is transparent has no colour.
 * @param {Uint8Array} bytes
 * @returns {Edit[]}
 */
function opaqueGifEdits(bytes) {
  return atMostOne(gifFrames(bytes))
    .filter((frame) => frame.control > 0 && isWholeFrame(bytes, frame))
    .map(({ control }) => ({
      start: control, end: control + 1, bytes: Uint8Array.of(bytes[control] & ~1),
    }));
}

/**
 * The transparency of lossy WebP is a chunk of its own.
 * @param {Uint8Array} bytes
 * @returns {Edit[]}
 */
function opaqueWebpEdits(bytes) {
  const edits = [];
  for (const { name, begin } of webpChunks(bytes)) {
    if (name === "ALPH") {
      edits.push({ start: begin - 8, end: begin - 7, bytes: NO_LETTER });
    }
  }
  const shown = { start: 20, end: 21, bytes: Uint8Array.of(bytes[20] & ~0x10) };
  return edits.length > 0 ? [shown, ...edits] : [];
}

/**
 * @param {Uint8Array} bytes
 * @returns {Edit[]}
 */
function opaqueItemEdits(bytes) {
  return alphaNames(bytes).map(({ start }) => ({ start, end: start + 1, bytes: NO_LETTER }));
}

/**
 * A GIF or BMP whose colours are their own numbers, as shades of grey; null where it has no
 * palette, or one of just these.
 * @param {Blob} blob
 * @param {Uint8Array} bytes
 * @param {string} format
 */
export function numbersOfPalette(blob, bytes, format) {
  const table = format === "gif" ? gifTable(bytes) : bmpTable(bytes);
  if (table === null || isRamp(bytes, table)) {
    return null;
  }
  const ramp = new Uint8Array(table.full * table.width);
  for (let index = 0; index < table.full; index += 1) {
    ramp.fill(index, index * table.width, index * table.width + 3);
  }
  const others = format === "gif" ? [...gifEdits(bytes), ...opaqueGifEdits(bytes)] : [];
  const edits = [...others, ...tableEdits(bytes, table, ramp)];
  return editedBlob(blob, bytes, edits.sort((one, other) => one.start - other.start));
}

/**
 * @typedef {object} ColourTable
 * @property {number} start
 * @property {number} count of colours
 * @property {number} full how many there can be
 * @property {number} width of each
 */

/**
 * The colours of the first frame, if it is the whole picture and stays: any other is composed.
 * @param {Uint8Array} bytes
 * @returns {ColourTable | null}
 */
function gifTable(bytes) {
  const [frame] = atMostOne(gifFrames(bytes));
  if (frame === undefined || !isWholeFrame(bytes, frame)) {
    return null;
  }
  const own = frame.colours > 0;
  const count = gifColours(bytes, own ? frame.at + 8 : 10);
  return { start: own ? frame.colours : 13, count, full: count, width: 3 };
}

/**
 * @param {Uint8Array} bytes
 * @param {import("./picture_parts.js").GifFrame} frame
 */
function isWholeFrame(bytes, { at, disposal }) {
  const [left, top, across, down] = [0, 2, 4, 6].map((each) => uint(bytes, at + each, 2, true));
  const whole = across >= uint(bytes, 6, 2, true) && down >= uint(bytes, 8, 2, true);
  return whole && left + top === 0 && disposal !== 3;
}

/**
 * @param {Uint8Array} bytes
 * @returns {ColourTable | null}
 */
function bmpTable(bytes) {
  const header = uint(bytes, 14, 4, true);
  const old = header === 12;
  const bits = uint(bytes, old ? 24 : 28, 2, true);
  if (bits > 8) {
    return null;
  }
  const full = 2 ** bits;
  const count = (header >= 40 && uint(bytes, 46, 4, true)) || full;
  return { start: 14 + header, count: Math.min(count, full), full, width: old ? 3 : 4 };
}

/**
 * Whether the colours of a table are shades of grey in order, or black and white.
 * @param {Uint8Array} bytes
 * @param {ColourTable} table
 */
function isRamp(bytes, { start, count, width }) {
  for (let index = 0; index < count; index += 1) {
    const shade = count === 2 ? 255 * index : index;
    const at = start + index * width;
    if ([0, 1, 2].some((channel) => bytes[at + channel] !== shade)) {
      return false;
    }
  }
  return true;
}

/**
 * An icon file with this one picture. Some lack the mask that says what is transparent, where there
 * is alpha anyway; WebKit shows nothing of them. So there is one more behind it that hides nothing.
 * @param {Uint8Array} bytes
 * @param {import("./picture_headers.js").IconEntry} icon
 */
export function onlyIcon(bytes, { entry, at, end, size }) {
  const picture = bytes.subarray(at, end);
  const mask = new Uint8Array(Math.ceil(size[0] / 32) * 4 * size[1]);
  const place = lowestFirst(picture.length + mask.length, 22);
  const head = Uint8Array.of(0, 0, 1, 0, 1, 0);
  return joined([head, bytes.subarray(entry, entry + 8), place, picture, mask]);
}
