// Whether a part of a picture file is missing that its decoder does not report: a gap, or zeros
// (hashkit/media/completeness; docs/incomplete-files.md). Browsers repair in silence.

import { ascii, findZeros, uint } from "./bytes.js";
import { lookAtBitmap, lookAtIcons, lookAtPng } from "./completeness_bitmaps.js";
import { lookAtGif } from "./completeness_gif.js";
import { lookAtJpeg } from "./completeness_jpeg.js";
import { LOST_IN_CODED, inMemory, isCutShort } from "./completeness_videos.js";
import { unsupported } from "./errors.js";
import { formatNamed } from "./recognition.js";

/**
 * `unsure`: zeros that may be black, or pixels that were never written. `truncated`: the file ends
 * before the picture does. `missing`: a part of it is lost, or its end.
 * @typedef {"nothing" | "unsure" | "missing" | "truncated"} Finding
 */

/** @type {Record<string, (bytes: Uint8Array) => Finding | Promise<Finding>>} */
const LOOKS = {
  jpeg: lookAtJpeg,
  png: lookAtPng,
  gif: lookAtGif,
  webp: lookAtWebp,
  bmp: lookAtBitmap,
  ico: lookAtIcons,
  heif: lookAtItems,
  avif: lookAtItems,
};

/** @type {Record<Finding, string | null>} */
const NOTICES_OF_FINDINGS = {
  nothing: null,
  unsure: "may_be_incomplete",
  missing: "damaged",
  truncated: "truncated",
};

/**
 * Whether a part of a picture that could be decoded is missing. Bytes behind its proper end do not
 * count, whatever they are.
 * @param {string} format its name
 * @param {Uint8Array} bytes the file
 * @returns {Promise<Finding>} raises UnsupportedMedia for TIFF and JPEG 2000, even where a browser
 *   shows them: there would be a hash, and nobody would know what of
 */
export async function lookForMissing(format, bytes) {
  if (LOOKS[format] === undefined) {
    throw unsupported(`${formatNamed(format).shown} picture`);
  }
  return LOOKS[format](bytes);
}

/**
 * @param {Finding} finding
 * @returns {string | null} the code of the notice that says so, if there is anything to say
 */
export function noticeOfFinding(finding) {
  return NOTICES_OF_FINDINGS[finding];
}

// WebP: RIFF chunks that say their length (RFC 9649). Codes may be the zeros of a plain area.

/**
 * @param {Uint8Array} bytes
 * @returns {Finding}
 */
function lookAtWebp(bytes) {
  const end = 8 + uint(bytes, 4, 4, true);
  if (end > bytes.length) {
    return "missing";
  }
  const [first] = webpCodes(bytes, end);
  const pixels = webpPixels(bytes, first);
  /** @type {Finding} */
  let found = "nothing";
  for (const { name, begin, stop } of webpCodes(bytes, end)) {
    const [unsure, certain] = webpLimits(name, pixels);
    if (name === "\0\0\0\0" || (certain && findZeros(bytes, begin, stop, certain) !== -1)) {
      return "missing";
    }
    if (unsure && findZeros(bytes, begin, stop, unsure) !== -1) {
      found = "unsure";
    }
  }
  return found;
}

/**
 * The name of each chunk, and where its content begins and stops; also of those in frames.
 * @param {Uint8Array} bytes
 * @param {number} end
 */
function* webpCodes(bytes, end) {
  let place = 12;
  while (place + 8 <= end) {
    const [name, length] = [ascii(bytes, place, 4), uint(bytes, place + 4, 4, true)];
    place += 8;
    if (name === "ANMF") {
      place += 16; // how the frame is shown; then the chunks of the frame
      continue;
    }
    yield { name, begin: place, stop: place + length };
    place += length + (length % 2);
  }
}

/**
 * From how many zeros on a chunk is suspect, and from how many on it is certain. Blocks of 16x16 of
 * VP8 take up to 1/8 byte, or 3/4 where quality is to be best. The quickest method of VP8L writes a
 * bit or more for each pixel, others next to nothing.
 * @param {string} name
 * @param {number} pixels
 */
function webpLimits(name, pixels) {
  if (name === "VP8 ") {
    return [64 + Math.floor(pixels / 1024), 64 + Math.floor(pixels / 256)];
  }
  return name === "VP8L" ? [512, 512 + Math.floor(pixels / 2)] : [0, 0];
}

/**
 * The pixels of the canvas, as the first chunk says.
 * @param {Uint8Array} bytes
 * @param {{name: string, begin: number} | undefined} first
 */
function webpPixels(bytes, first) {
  if (first?.name === "VP8X") {
    const [width, height] = [4, 7].map((at) => 1 + uint(bytes, first.begin + at, 3, true));
    return width * height;
  }
  if (first?.name === "VP8 ") {
    const [width, height] = [6, 8].map((at) => uint(bytes, first.begin + at, 2, true) % 16384);
    return width * height;
  }
  const bits = first?.name === "VP8L" ? uint(bytes, first.begin + 1, 4, true) : 0;
  return (1 + (bits % 16384)) * (1 + (Math.floor(bits / 16384) % 16384));
}

// HEIC and AVIF: boxes that say their length, and items that say where their bytes are
// (ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12).

const ITEMS_OF_CODES = ["hvc1", "av01", "avc1", "hvt1"];
const SEQUENCE_BRANDS = ["avis", "msf1", "hevc"];
const MAX_ITEMS = 65536;

/**
 * @param {Uint8Array} bytes
 * @returns {Promise<Finding>}
 */
async function lookAtItems(bytes) {
  if (await isCutShort(inMemory(bytes), "heif")) {
    return "missing";
  }
  for (const { begin, end } of codedParts(bytes)) {
    if (end > bytes.length || findZeros(bytes, begin, end, LOST_IN_CODED) !== -1) {
      return "missing";
    }
  }
  return "nothing";
}

/**
 * Where the bytes of coded pictures are: those of items, and those of a sequence.
 * @param {Uint8Array} bytes
 */
function* codedParts(bytes) {
  for (const box of isoBoxes(bytes, 0, bytes.length)) {
    if (box.name === "meta") {
      const { items, places } = itemTables(bytes, box.begin + 4, box.end);
      if (items && places) {
        if (items.begin >= bytes.length || places.begin >= bytes.length) {
          return; // tables that make no sense: nothing can be said
        }
        yield* itemExtents(bytes, places.begin, codedItems(bytes, items.begin, items.end));
      }
    } else if (box.name === "mdat" && SEQUENCE_BRANDS.includes(ascii(bytes, 8, 4))) {
      yield { begin: box.begin, end: box.end };
    }
  }
}

/**
 * The boxes within `meta` that say what its items are, and where.
 * @param {Uint8Array} bytes
 * @param {number} begin
 * @param {number} end
 */
function itemTables(bytes, begin, end) {
  /** @type {Record<string, {begin: number, end: number}>} */
  const found = {};
  for (const box of isoBoxes(bytes, begin, end)) {
    if (box.name === "iinf" || box.name === "iloc") {
      found[box.name] = box;
    }
  }
  return { items: found.iinf, places: found.iloc };
}

/**
 * The name of each box, and where its content begins and ends.
 * @param {Uint8Array} bytes
 * @param {number} place
 * @param {number} end
 */
function* isoBoxes(bytes, place, end) {
  while (place + 8 <= end) {
    const name = ascii(bytes, place + 4, 4);
    let [length, begin] = [uint(bytes, place, 4), place + 8];
    if (length === 1) {
      [length, begin] = [uint(bytes, place + 8, 8), place + 16];
    }
    if (length === 0 && name !== "\0\0\0\0") {
      length = end - place;
    }
    if (length < begin - place) {
      return;
    }
    yield { name, begin, end: place + length };
    place += length;
  }
}

/**
 * The items that are coded pictures. Others may hold anything: metadata is often padded.
 * @param {Uint8Array} bytes
 * @param {number} begin
 * @param {number} end
 */
function codedItems(bytes, begin, end) {
  const found = new Set();
  for (const item of isoBoxes(bytes, begin + (bytes[begin] === 0 ? 6 : 8), end)) {
    const width = bytes[item.begin] === 3 ? 4 : 2;
    if (ITEMS_OF_CODES.includes(ascii(bytes, item.begin + 6 + width, 4))) {
      found.add(uint(bytes, item.begin + 4, width));
    }
  }
  return found;
}

/**
 * Where the bytes of these items are (8.11.3).
 * @param {Uint8Array} bytes
 * @param {number} begin
 * @param {Set<number>} items
 */
function* itemExtents(bytes, begin, items) {
  const [version, sizes] = [bytes[begin], uint(bytes, begin + 4, 2)];
  const widths = [12, 8, 4, 0].map((shift) => (sizes >> shift) & 15);
  const [offsetWidth, lengthWidth, baseWidth] = widths;
  const indexWidth = version ? widths[3] : 0;
  const wide = version === 2 ? 4 : 2;
  let place = begin + 6;
  const take = (/** @type {number} */ width) => uint(bytes, (place += width) - width, width);
  const count = Math.min(take(wide), MAX_ITEMS);
  for (let number = 0; number < count && place <= bytes.length; number += 1) {
    const item = take(wide);
    const isInFile = version === 0 || (uint(bytes, place, 2) & 15) === 0;
    place += (version ? 2 : 0) + 2;
    const base = take(baseWidth);
    const said = take(2);
    const extents = offsetWidth + lengthWidth + indexWidth ? said : Math.min(said, 1); // all alike
    for (let extent = 0; extent < extents; extent += 1) {
      place += indexWidth;
      const start = base + take(offsetWidth);
      const end = start + take(lengthWidth);
      if (isInFile && items.has(item)) {
        yield { begin: start, end };
      }
    }
  }
}
