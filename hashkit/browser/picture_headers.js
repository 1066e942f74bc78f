// What a file of a picture says before it is decoded: its size, kinds that are not opened, and what
// it holds beside the picture (hashkit/media/contents.py).

import { ascii, find, uint } from "./bytes.js";
import { FACTS } from "./data.js";
import { HashkitError, checkPixels, filledIn, unsupported } from "./errors.js";
import { alphaNames, countShown, itemSize, shownItemSize } from "./items.js";
import { gifFrames, jpegSegments, startsWith, webpChunks } from "./picture_parts.js";
import { pngHeader } from "./png.js";
import { findVideo } from "./recognition.js";

const OTHER_SEGMENTS = [0xc4, 0xc8, 0xcc]; // among those of frames
const LOSSLESS_FRAMES = [0xc3, 0xcb];
const JPEG_LS_FRAME = 0xf7;
const HIERARCHICAL_FRAMES = [0xc5, 0xc6, 0xc7, 0xcd, 0xce, 0xcf];
const PROGRESSIVE_FRAMES = [0xc2, 0xc6, 0xca, 0xce];
const JPEG_CHANNELS = [1, 3, 4];
const MAX_SCANS = 100;
const GAIN_MAPS = [
  "hdrgainmap", "http://ns.adobe.com/hdr-gain-map", "urn:iso:std:iso:ts:21496:-1",
];
const MPF_ENTRIES = 0xb002;
const MPF_PREVIEW = 0x010000;
const MAX_MPF_TAGS = 65535;
const MAX_MPF_ENTRIES = 4096;
const PNG_START = "\x89PNG\r\n\x1a\n";
const BMP_OLD_HEADER = 12;
const BMP_OS2_HEADER = 64;
const BMP_DEPTHS = [1, 4, 8, 16, 24, 32];
const BMP_CODINGS = [0, 1, 2, 3, 6];
const HEIC_SEQUENCES = ["msf1", "hevc", "hevx", "hevm", "hevs"];

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
function jpegFrame(bytes) {
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
    return [...firstOf(gifFrames(bytes))].some((frame) => frame.transparent >= 0);
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
export function firstOf(items) {
  for (const each of items) {
    return [each];
  }
  return [];
}

/**
 * Raise what Python raises for kinds that its decoders do not open, and for what would take too long.
 * @param {string} format
 * @param {Uint8Array} bytes
 */
export function refuseRare(format, bytes) {
  if (format === "jpeg") {
    refuseRareJpeg(bytes);
  }
  if (format === "webp" && 8 + uint(bytes, 4, 4, true) > bytes.length) {
    throw new HashkitError("media_corrupt");
  }
  if (format === "bmp") {
    const [header, bits, coding] = [14, 28, 30].map((at) => uint(bytes, at, at === 28 ? 2 : 4, true));
    if (header !== BMP_OLD_HEADER && header > 16) {
      const rare = header === BMP_OS2_HEADER && (coding === 3 || coding === 4);
      if (rare || !BMP_DEPTHS.includes(bits) || !BMP_CODINGS.includes(coding)) {
        throw unsupported(FACTS.rareKinds.bmp);
      }
    }
  }
}

/** @param {Uint8Array} bytes */
function refuseRareJpeg(bytes) {
  const frame = jpegFrame(bytes);
  if (frame === null) {
    const last = [...jpegSegments(bytes)].at(-1);
    const cut = last !== undefined && last.begin + 2 + uint(bytes, last.begin + 2, 2) > bytes.length;
    throw new HashkitError(cut ? "media_truncated" : "media_corrupt");
  }
  if (LOSSLESS_FRAMES.includes(frame.marker)) {
    throw unsupported(FACTS.rareKinds.losslessJpeg);
  }
  if (HIERARCHICAL_FRAMES.includes(frame.marker)) {
    throw unsupported(FACTS.rareKinds.hierarchicalJpeg);
  }
  if (frame.marker === JPEG_LS_FRAME) {
    throw unsupported(FACTS.rareKinds.jpegLs);
  }
  if (frame.depth >= 2 && frame.depth <= 16 && frame.depth !== 8) {
    throw unsupported(filledIn(FACTS.rareKinds.deepJpeg, { bits: String(frame.depth) }));
  }
  if (!JPEG_CHANNELS.includes(frame.channels) || hasManyScans(bytes, frame.marker)) {
    throw new HashkitError("media_corrupt");
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {number} marker
 */
function hasManyScans(bytes, marker) {
  if (!PROGRESSIVE_FRAMES.includes(marker)) {
    return false;
  }
  const video = findVideo(bytes);
  const end = video < 0 ? bytes.length : video;
  let count = 0;
  let at = find(bytes, "\xff\xda", 0, end);
  while (at >= 0 && count <= MAX_SCANS) {
    count += 1;
    at = find(bytes, "\xff\xda", at + 2, end);
  }
  return count > MAX_SCANS;
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
  let index = new Uint8Array(0);
  for (const { marker, begin, end } of jpegSegments(bytes)) {
    if (marker === 0xe2 && startsWith(bytes, "MPF\0", begin + 4)) {
      index = bytes.subarray(begin + 8, end);
    }
  }
  return index.length > 0 && hasOwnPictures(index) && GAIN_MAPS.every((mark) => find(bytes, mark) < 0);
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
    return { entry, at, end, isPng, size, area: (across || 256) * (down || 256), depth: depth || 256 };
  });
  entries.sort((a, b) => b.area - a.area || a.depth - b.depth);
  return entries[0];
}

/**
 * Raise what Python raises for a picture that cannot be decoded.
 * @param {string} format
 * @param {Uint8Array} bytes
 */
export function refuseBursts(format, bytes) {
  if (format === "heif" && HEIC_SEQUENCES.includes(ascii(bytes, 8, 4))) {
    throw unsupported(FACTS.rareKinds.heicBurst);
  }
}
