// What a file of a picture says before it is decoded: its size, kinds that are not opened, and what
// it holds beside the picture (hashkit/media/contents.py).

import { ascii, find, uint } from "./bytes.js";
import { checkPixels } from "./errors.js";
import { alphaNames, countShown, itemSize, shownItemSize } from "./items.js";
import { gifFrames, jpegSegments, startsWith, webpChunks } from "./picture_parts.js";
import { pngHeader } from "./png.js";
import { findVideo } from "./recognition.js";

const OTHER_SEGMENTS = [0xc4, 0xc8, 0xcc]; // among those of frames
export const JPEG_LS_FRAME = 0xf7;
const GAIN_MAPS = [
  "hdrgainmap", "http://ns.adobe.com/hdr-gain-map", "urn:iso:std:iso:ts:21496:-1",
];
const MPF_ENTRIES = 0xb002;
const MPF_PREVIEW = 0x010000;
const MAX_MPF_TAGS = 65535;
const MAX_MPF_ENTRIES = 4096;
const PNG_START = "\x89PNG\r\n\x1a\n";
export const BMP_OLD_HEADER = 12;

/**
 * @typedef {object} JpegFrame
 * @property {number} marker
 * @property {number} depth bits of a colour
 * @property {number} channels
 * @property {[number, number]} size
 */

/**
 * The header that says how a JPEG is coded; the last, where there are several.
 * @param {Uint8Array} bytes
 * @returns {JpegFrame | null}
 */
export function jpegFrame(bytes) {
  let found = null;
  for (const { marker, begin, end } of jpegSegments(bytes)) {
    const isFrame = (marker >= 0xc0 && marker <= 0xcf) || marker === JPEG_LS_FRAME;
    if (isFrame && !OTHER_SEGMENTS.includes(marker) && end - begin >= 10) {
      /** @type {[number, number]} */
      const size = [uint(bytes, begin + 7, 2), uint(bytes, begin + 5, 2)];
      found = { marker, depth: bytes[begin + 4], channels: bytes[begin + 9], size };
    }
  }
  return found;
}

/**
 * Width and height as the picture is stored; of HEIC as it is shown.
 * @param {string} format
 * @param {Uint8Array} bytes
 * @returns {[number, number]} zeros where the file does not say
 */
export function sizeOf(format, bytes) {
  if (format === "jpeg") {
    return jpegFrame(bytes)?.size ?? [0, 0];
  }
  if (format === "png") {
    return [uint(bytes, 16, 4), uint(bytes, 20, 4)];
  }
  if (format === "gif") {
    return gifSize(bytes);
  }
  if (format === "bmp") {
    return bmpSize(bytes, 14);
  }
  if (format === "webp") {
    return webpSize(bytes);
  }
  return format === "heif" ? shownItemSize(bytes) : itemSize(bytes);
}

/**
 * @param {Uint8Array} bytes
 * @returns {[number, number]} large enough for the first frame, as viewers have it
 */
function gifSize(bytes) {
  const [width, height] = [uint(bytes, 6, 2, true), uint(bytes, 8, 2, true)];
  for (const { at } of gifFrames(bytes)) {
    const [left, top, across, down] = [0, 2, 4, 6].map((each) => uint(bytes, at + each, 2, true));
    return [Math.max(width, left + across), Math.max(height, top + down)];
  }
  return [0, 0];
}

/**
 * @param {Uint8Array} bytes
 * @param {number} header where it begins
 * @returns {[number, number]}
 */
function bmpSize(bytes, header) {
  const narrow = uint(bytes, header, 4, true) === BMP_OLD_HEADER;
  const width = uint(bytes, header + 4, narrow ? 2 : 4, true);
  const height = uint(bytes, header + (narrow ? 6 : 8), narrow ? 2 : 4, true);
  return [width, narrow ? height : Math.abs(height | 0)];
}

/**
 * @param {Uint8Array} bytes
 * @returns {[number, number]}
 */
function webpSize(bytes) {
  const first = ascii(bytes, 12, 4);
  if (first === "VP8X") {
    return [uint(bytes, 24, 3, true) + 1, uint(bytes, 27, 3, true) + 1];
  }
  if (first === "VP8L") {
    const bits = uint(bytes, 21, 4, true);
    return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
  }
  return [uint(bytes, 26, 2, true) & 0x3fff, uint(bytes, 28, 2, true) & 0x3fff];
}

/**
 * Whether the file says that parts may be transparent.
 * @param {string} format
 * @param {Uint8Array} bytes
 */
export function mayBeTransparent(format, bytes) {
  if (format === "gif") {
    return [...atMostOne(gifFrames(bytes))].some((frame) => frame.transparent >= 0);
  }
  if (format === "webp") {
    const flagsAt = startsWith(bytes, "VP8X", 12) ? 20 : 24;
    return !startsWith(bytes, "VP8 ", 12) && (bytes[flagsAt] & 0x10) > 0;
  }
  return format === "avif" && alphaNames(bytes).length > 0;
}

/**
 * @template T
 * @param {Iterable<T>} items
 * @returns {T[]} the first of them, if there is one
 */
export function atMostOne(items) {
  for (const each of items) {
    return [each];
  }
  return [];
}

/**
 * What else the file holds that is not hashed as a picture: the code of a notice, or null.
 * @param {string} format
 * @param {Uint8Array} bytes
 */
export function besideOf(format, bytes) {
  if ((format === "jpeg" || format === "heif") && findVideo(bytes) >= 0) {
    return "embedded_video";
  }
  if (format === "jpeg") {
    return isMultiPicture(bytes) ? "several_images" : null;
  }
  if (format === "heif") {
    return countShown(bytes) > 1 ? "several_images" : null;
  }
  return countFrames(format, bytes) > 1 ? "animated" : null;
}

/**
 * @param {string} format
 * @param {Uint8Array} bytes
 * @returns {number} no more than 2 where counting on would change nothing
 */
function countFrames(format, bytes) {
  if (format === "png") {
    const { moves, frames } = pngHeader(bytes);
    return moves ? frames : 1;
  }
  if (format === "avif") {
    const table = find(bytes, "stsz");
    return startsWith(bytes, "avis", 8) && table > 0 ? uint(bytes, table + 12, 4) : 1;
  }
  let count = 0;
  if (format === "gif") {
    for (const frame of gifFrames(bytes)) {
      count += frame.at > 0 ? 1 : 0;
      if (count > 1) {
        break;
      }
    }
  }
  if (format === "webp") {
    for (const { name } of webpChunks(bytes)) {
      count += name === "ANMF" ? 1 : 0;
    }
  }
  return count;
}

/**
 * MPO: JPEGs one after the other. Not where they are previews of the first, or say how bright its
 * places are, as phones' second ones often do.
 * @param {Uint8Array} bytes
 */
function isMultiPicture(bytes) {
  /** @type {Uint8Array} */
  let index = new Uint8Array(0);
  for (const { marker, begin, end } of jpegSegments(bytes)) {
    if (marker === 0xe2 && startsWith(bytes, "MPF\0", begin + 4)) {
      index = bytes.subarray(begin + 8, end);
    }
  }
  return hasOwnPictures(index) && GAIN_MAPS.every((mark) => find(bytes, mark) < 0);
}

/**
 * Whether any entry is a picture of its own (CIPA DC-007, 5.2).
 * @param {Uint8Array} index
 */
function hasOwnPictures(index) {
  const little = !startsWith(index, "MM");
  const tags = uint(index, 4, 4, little);
  const count = Math.min(uint(index, tags, 2, little), MAX_MPF_TAGS);
  for (let each = 0; each < count; each += 1) {
    const at = tags + 2 + 12 * each;
    if (at + 12 > index.length) {
      return false;
    }
    if (uint(index, at, 2, little) !== MPF_ENTRIES) {
      continue;
    }
    const [length, place] = [uint(index, at + 4, 4, little), uint(index, at + 8, 4, little)];
    for (let entry = 1; entry < Math.min(length / 16, MAX_MPF_ENTRIES); entry += 1) {
      const begin = place + 16 * entry;
      if (begin + 4 > index.length) {
        return false;
      }
      if ((uint(index, begin, 4, little) & 0xff0000) !== MPF_PREVIEW) {
        return true;
      }
    }
  }
  return false;
}

/**
 * @typedef {object} IconEntry
 * @property {number} entry where it stands in the list
 * @property {number} at where the picture is
 * @property {number} end
 * @property {boolean} isPng
 * @property {[number, number]} size
 */

/**
 * The icon that is taken: the largest that the list names; of several, the one with fewest colours.
 * What other pictures say of their sizes is checked as well.
 * @param {Uint8Array} bytes
 * @param {number} maxPixels
 * @returns {IconEntry}
 */
export function largestIcon(bytes, maxPixels) {
  const entries = Array.from({ length: uint(bytes, 4, 2, true) }, (_, index) => {
    const entry = 6 + 16 * index;
    const [across, down, colours] = bytes.subarray(entry, entry + 3);
    const depth = uint(bytes, entry + 6, 2, true) || (colours ? Math.ceil(Math.log2(colours)) : 0);
    const at = uint(bytes, entry + 12, 4, true);
    const isPng = startsWith(bytes, PNG_START, at);
    const [width, height] = isPng
      ? [uint(bytes, at + 16, 4), uint(bytes, at + 20, 4)]
      : [uint(bytes, at + 4, 4, true), Math.ceil(uint(bytes, at + 8, 4, true) / 2)];
    if (width > 0 && height > 0) {
      checkPixels(width, height, maxPixels);
    }
    /** @type {[number, number]} */
    const size = [width, height];
    const end = at + uint(bytes, entry + 8, 4, true);
    const area = (across || 256) * (down || 256);
    return { entry, at, end, isPng, size, area, depth: depth || 256 };
  });
  entries.sort((a, b) => b.area - a.area || a.depth - b.depth);
  return entries[0];
}
