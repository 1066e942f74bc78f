// How a picture is to be turned: EXIF as Pillow reads it, which is what hashkit obeys.
//
// Browsers do not agree on what they obey, and none lets a page switch that off ("none" of
// createImageBitmap is ignored by all three). So what they would obey is taken out of the file
// before they decode it (neutral.js), and the pixels are turned here.

import { uint } from "./bytes.js";
import { transformOf } from "./items.js";
import {
  joined, jpegSegments, pngChecksum, pngChunks, startsWith, webpChunks,
} from "./picture_parts.js";

const ORIENTATION_TAG = 0x0112;
const TIFF_STARTS = ["4d4d002a", "49492a00", "4d4d2a00", "4949002a", "4d4d002b"];
/** @type {Record<number, number>} the widths of the types of numbers in TIFF, by their codes */
const NUMBER_WIDTHS = { 3: 2, 4: 4, 5: 8, 6: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8 };
/** @type {Record<number, number>} of the types whose values are texts or bytes: never a number */
const OTHER_WIDTHS = { 1: 1, 2: 1, 7: 1 };
const EXIF_START = "Exif\0\0";
const EXIF_NAME = "exif\0";

/**
 * @param {string} format
 * @param {Uint8Array} bytes the file
 * @returns {number} 1 to 8, as EXIF counts; 1 where nothing is said, or nothing that makes sense
 */
export function orientationOf(format, bytes) {
  if (format === "avif") {
    return transformOf(bytes);
  }
  return orientationOfExif(exifOf(format, bytes));
}

/**
 * @param {string} format
 * @param {Uint8Array} bytes
 */
function exifOf(format, bytes) {
  if (format === "jpeg") {
    return exifOfJpeg(bytes);
  }
  if (format === "png") {
    return exifOfPng(bytes);
  }
  if (format === "webp") {
    for (const { name, begin, end } of webpChunks(bytes)) {
      if (name === "EXIF") {
        return bytes.subarray(begin, end);
      }
    }
  }
  return new Uint8Array(0);
}

/** @param {Uint8Array} bytes */
function exifOfJpeg(bytes) {
  /** @type {Uint8Array[]} */
  const parts = [];
  for (const { marker, begin, end } of jpegSegments(bytes)) {
    if (marker === 0xe1 && startsWith(bytes, EXIF_START, begin + 4)) {
      parts.push(bytes.subarray(begin + 4 + (parts.length > 0 ? 6 : 0), end));
    }
  }
  return joined(parts);
}

/**
 * EXIF is a chunk of its own, or a text with this name; the last one counts. Behind the pixels, no
 * checksum is looked at; and those of an animation's other frames are not reached.
 * @param {Uint8Array} bytes
 */
function exifOfPng(bytes) {
  /** @type {Uint8Array} */
  let found = new Uint8Array(0);
  let [moves, behind, hidden] = [false, false, true];
  for (const { name, begin, end } of pngChunks(bytes)) {
    moves ||= name === "acTL";
    hidden &&= name !== "fcTL";
    if (name === "IDAT") {
      behind = true;
    } else if (behind && moves && (hidden || name === "fcTL")) {
      break;
    } else if (name === "eXIf" || (name === "tEXt" && startsWith(bytes, EXIF_NAME, begin))) {
      const intact = behind || pngChecksum(bytes, begin - 4, end) === uint(bytes, end, 4);
      found = intact ? bytes.subarray(begin + (name === "eXIf" ? 0 : 5), end) : found;
    }
  }
  return found;
}

/**
 * The orientation in a block of EXIF, which is a TIFF. Of a tag that is there twice, the first
 * counts; of several values the first; only whole numbers from 1 to 8 of whatever type.
 * @param {Uint8Array} block
 */
function orientationOfExif(block) {
  let tiff = block;
  for (let times = 0; times < 2 && startsWith(tiff, EXIF_START); times += 1) {
    tiff = tiff.subarray(6);
  }
  const start = [...tiff.subarray(0, 4)].map((each) => each.toString(16).padStart(2, "0")).join("");
  if (tiff.length < 8 || !TIFF_STARTS.includes(start)) {
    return 1;
  }
  const little = tiff[0] === 0x49;
  const directory = uint(tiff, 4, 4, little);
  const count = uint(tiff, directory, 2, little);
  const budget = { left: tiff.length };
  for (let entry = 0; entry < count; entry += 1) {
    const at = directory + 2 + 12 * entry;
    if (at + 12 > tiff.length) {
      return 1;
    }
    const value = valueOfTag(tiff, at, little, budget);
    if (value === null) {
      return 1;
    }
    if (value !== undefined && uint(tiff, at, 2, little) === ORIENTATION_TAG) {
      return [1, 2, 3, 4, 5, 6, 7, 8].includes(value) ? value : 1;
    }
  }
  return 1;
}

/**
 * The first value of a tag; not a number where it is a text; undefined where it is passed over,
 * null where the block ends in it.
 * @param {Uint8Array} tiff
 * @param {number} at
 * @param {boolean} little
 * @param {{left: number}} budget bytes that values elsewhere in the block may take, all together
 */
function valueOfTag(tiff, at, little, budget) {
  const type = uint(tiff, at + 2, 2, little);
  const width = NUMBER_WIDTHS[type] ?? OTHER_WIDTHS[type];
  const size = width * uint(tiff, at + 4, 4, little);
  if (!(size > 0)) {
    return undefined; // of no known type, or empty
  }
  let place = at + 8;
  if (size > 4) {
    place = uint(tiff, at + 8, 4, little);
    budget.left -= size;
    if (budget.left < 0) {
      return undefined;
    }
    if (place + size > tiff.length) {
      return null;
    }
  }
  return type in OTHER_WIDTHS ? NaN : tiffNumber(tiff, place, type, little);
}

/**
 * @param {Uint8Array} tiff
 * @param {number} place
 * @param {number} type
 * @param {boolean} little
 */
function tiffNumber(tiff, place, type, little) {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (type === 5) {
    return view.getUint32(place, little) / view.getUint32(place + 4, little);
  }
  if (type === 10) {
    return view.getInt32(place, little) / view.getInt32(place + 4, little);
  }
  if (type === 11) {
    return view.getFloat32(place, little);
  }
  if (type === 12) {
    return view.getFloat64(place, little);
  }
  return uint(tiff, place, NUMBER_WIDTHS[type], little);
}

/**
 * The part of the stored picture that holds these rows of the upright one.
 * @param {number} orientation
 * @param {number} width of the upright picture
 * @param {number} height of the upright picture
 * @param {number} top the first row
 * @param {number} rows
 * @returns {[number, number, number, number]} left, top, width, height
 */
export function storedArea(orientation, width, height, top, rows) {
  const first = [3, 4, 7, 8].includes(orientation) ? height - top - rows : top;
  return orientation >= 5 ? [first, 0, rows, width] : [0, first, width, rows];
}

/**
 * Turn what `storedArea` named into rows of the upright picture.
 * @param {Uint8Array | Uint8ClampedArray} pixels four bytes each, beginning at a multiple of four
 * @param {number} width of the upright picture
 * @param {number} rows
 * @param {number} orientation
 * @returns {Uint8Array | Uint8ClampedArray}
 */
export function turnedRows(pixels, width, rows, orientation) {
  if (orientation === 1) {
    return pixels;
  }
  const stored = new Uint32Array(pixels.buffer, pixels.byteOffset, width * rows);
  const turned = new Uint32Array(width * rows);
  let place = 0;
  for (let row = 0; row < rows; row += 1) {
    const line = [3, 4, 7, 8].includes(orientation) ? rows - 1 - row : row;
    let step = orientation >= 5 ? rows : 1;
    let from = orientation >= 5 ? line : line * width;
    if ([2, 3, 6, 7].includes(orientation)) {
      from += (width - 1) * step;
      step = -step;
    }
    for (const end = place + width; place < end; place += 1) {
      turned[place] = stored[from];
      from += step;
    }
  }
  return new Uint8Array(turned.buffer);
}
