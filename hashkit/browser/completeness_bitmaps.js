// PNG, whose chunks have a length and a checksum; BMP and icons; and pixels that are stored as they
// are, where zeros may be black or transparent (hashkit/media/completeness: png, bitmaps,
// uncompressed).

import { ascii, endOfZeros, findZeros, uint } from "./bytes.js";
import { pngChecksum } from "./picture_parts.js";

/** @typedef {import("./completeness.js").Finding} Finding */

const PNG_ICON = "\x89PNG\r\n\x1a\n";
const CHUNKS_OF_THE_PICTURE = ["IHDR", "PLTE", "tRNS", "IDAT", "fcTL", "fdAT"];

/**
 * Whether the PNG has intact pixels and an end. What is wrong with chunks of text or times does not
 * matter, nor, but in icons, that the file ends in one behind the pixels.
 * @param {Uint8Array} bytes
 * @param {number} [start]
 * @returns {Finding}
 */
export function lookAtPng(bytes, start = 0) {
  let [place, name, hasPixels] = [start + 8, "", false];
  while (place + 8 <= bytes.length) {
    const end = place + 8 + uint(bytes, place, 4);
    name = ascii(bytes, place + 4, 4);
    const isOfPicture = CHUNKS_OF_THE_PICTURE.includes(name);
    if (name === "IEND") {
      return place + 12 <= bytes.length ? "nothing" : "missing";
    }
    if (end + 4 > bytes.length) {
      const isBehind = !isOfPicture && hasPixels && start === 0;
      return isBehind ? "nothing" : pngCutIn(name, hasPixels);
    }
    if (isOfPicture && uint(bytes, end, 4) !== pngChecksum(bytes, place + 4, end)) {
      return "missing";
    }
    hasPixels ||= name === "IDAT";
    place = end + 4;
  }
  return pngCutIn(name, hasPixels);
}

/**
 * @param {string} name of the last chunk
 * @param {boolean} hasPixels
 * @returns {Finding}
 */
function pngCutIn(name, hasPixels) {
  return name === "IDAT" || !hasPixels ? "truncated" : "missing"; // else, of a later frame
}

const MAX_RLE_ZEROS = 1024; // an end of line is two zeros, so empty lines may follow each other

/**
 * Whether pixels of a BMP end behind the file, or are zeros where they should not be.
 * @param {Uint8Array} bytes
 * @returns {Finding}
 */
export function lookAtBitmap(bytes) {
  return lookAtBitmapAt(bytes, 14, littleAt(bytes, 10), false);
}

/**
 * The largest icon, which is the one that is taken; and whether others are there at all.
 * @param {Uint8Array} bytes
 * @returns {Finding}
 */
export function lookAtIcons(bytes) {
  let [largest, most] = [-1, -1];
  for (let entry = 0; entry < uint(bytes, 4, 2, true); entry += 1) {
    const at = littleAt(bytes, 18 + 16 * entry);
    if (at + littleAt(bytes, 14 + 16 * entry) > bytes.length || !littleAt(bytes, at)) {
      return "missing";
    }
    const pixels = iconPixels(bytes, at);
    [largest, most] = pixels > most ? [at, pixels] : [largest, most];
  }
  if (largest === -1) {
    return "nothing";
  }
  if (ascii(bytes, largest, 8) === PNG_ICON) {
    return lookAtPng(bytes, largest);
  }
  const [bits, colours] = [uint(bytes, largest + 14, 2, true), littleAt(bytes, largest + 32)];
  const palette = bits <= 8 ? (colours || 1 << bits) * 4 : 0;
  return lookAtBitmapAt(bytes, largest, largest + littleAt(bytes, largest) + palette, true);
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 */
function iconPixels(bytes, at) {
  return ascii(bytes, at, 8) === PNG_ICON
    ? uint(bytes, at + 16, 4) * uint(bytes, at + 20, 4)
    : Math.floor((littleAt(bytes, at + 4) * littleAt(bytes, at + 8)) / 2);
}

/**
 * @param {Uint8Array} bytes
 * @param {number} place
 */
function littleAt(bytes, place) {
  return uint(bytes, place, 4, true);
}

/**
 * @param {Uint8Array} bytes
 * @param {number} header where it is
 * @param {number} pixels where they begin
 * @param {boolean} isHalved of an icon, with a mask above it that may be zeros
 * @returns {Finding}
 */
function lookAtBitmapAt(bytes, header, pixels, isHalved) {
  const isOld = littleAt(bytes, header) === 12;
  const [width, height, bits] = isOld
    ? [4, 6, 10].map((at) => uint(bytes, header + at, 2, true))
    : [[4, 4], [8, 4], [14, 2]].map(([at, size]) => uint(bytes, header + at, size, true));
  const coding = isOld ? 0 : littleAt(bytes, header + 16);
  if (coding === 1 || coding === 2) { // run lengths
    const end = pixels + littleAt(bytes, header + 20);
    return findZeros(bytes, pixels, end, MAX_RLE_ZEROS + 1) === -1 ? "nothing" : "missing";
  }
  const rows = Math.min(height, 2 ** 32 - height); // negative: stored from the top down
  const stride = Math.floor((width * bits + 31) / 32) * 4;
  const end = pixels + stride * (isHalved ? Math.floor(rows / 2) : rows);
  if (end > bytes.length) {
    return "truncated";
  }
  const used = Math.floor((width * bits + 7) / 8);
  return lookAtRows(bytes, { begin: pixels, end, stride, used, bits });
}

const MIN_ZEROS = 8192;
const DISK_BLOCK = 512; // the smallest of a disk or card; larger ones are multiples of it
const MARGIN = 32;
const NEAR = 4; // the last values before what is lost may be zeros as well

/**
 * How pixels lie in a file: rows of `stride` bytes, of which `used` hold pixels of `bits` each.
 * @typedef {{begin: number, end: number, stride: number, used: number, bits: number}} Rows
 */

/**
 * What the zeros among pixels look like. Many kilobytes of them are taken for lost where black
 * would not begin: black bars begin with a row, and a black background shows beside what is in
 * front of it. What a card or a disk loses begins and ends with one of its blocks.
 * @param {Uint8Array} bytes
 * @param {Rows} rows
 * @returns {Finding}
 */
export function lookAtRows(bytes, rows) {
  if (rows.stride < 1) {
    return "nothing";
  }
  const start = startOfLastZeros(bytes, rows.begin, rows.end);
  if (rows.end - start >= MIN_ZEROS && start > rows.begin) {
    const isMeant = rowStartsNear(rows, start) || hasMargin(bytes, rows, start);
    return !beginsBlock(start) && isMeant ? "nothing" : "unsure";
  }
  const length = MIN_ZEROS / 2;
  let since = findZeros(bytes, rows.begin, start, length);
  while (since !== -1) {
    const to = endOfZeros(bytes, since + length, start);
    if (beginsBlock(since) && to % DISK_BLOCK === 0) {
      return "unsure";
    }
    since = findZeros(bytes, to, start, length);
  }
  return "nothing";
}

/**
 * Where the zeros begin with which these bytes end; `end` if there are none.
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end at most the end of `bytes`
 */
function startOfLastZeros(bytes, start, end) {
  let at = end;
  while (at > start && bytes[at - 1] === 0) {
    at -= 1;
  }
  return at;
}

/**
 * Whether a row begins here, but for the rest of a pixel or bytes that fill up.
 * @param {Rows} rows
 * @param {number} place
 */
function rowStartsNear(rows, place) {
  const within = (place - rows.begin) % rows.stride;
  return within === 0 || within > rows.used - Math.max(1, Math.floor(rows.bits / 8));
}

/**
 * Whether there are zeros in the row before as well: then black goes on, or, where pixels have an
 * alpha channel, transparent ones do.
 * @param {Uint8Array} bytes
 * @param {Rows} rows
 * @param {number} place
 */
function hasMargin(bytes, rows, place) {
  const length = Math.max(1, Math.min(MARGIN, Math.floor(rows.used / 16)));
  return findZeros(bytes, Math.max(rows.begin, place - rows.stride), place, length) !== -1;
}

/** @param {number} place */
function beginsBlock(place) {
  return (DISK_BLOCK - (place % DISK_BLOCK)) % DISK_BLOCK <= NEAR;
}
