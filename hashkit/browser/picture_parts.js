// The parts that files of pictures consist of. Every walk ends where the file does, or after more
// parts than a picture has.

import { ascii, uint } from "./bytes.js";

/** @typedef {{name: string, begin: number, end: number}} Part its content, without what heads it */

const MAX_WALK = 1_000_000;
const MARKERS_ALONE = [0x01, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8];
const SCAN_MARKER = 0xda;

/**
 * @param {Uint8Array} bytes
 * @param {string} beginning in latin-1
 * @param {number} [place]
 */
export function startsWith(bytes, beginning, place = 0) {
  return ascii(bytes, place, beginning.length) === beginning;
}

/**
 * @param {Uint8Array[]} parts
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function joined(parts) {
  const all = new Uint8Array(parts.reduce((sum, each) => sum + each.length, 0));
  let place = 0;
  for (const part of parts) {
    all.set(part, place);
    place += part.length;
  }
  return all;
}

/**
 * The segments of a JPEG before the first scan, and the header of that. What is no marker is
 * skipped, as libjpeg does.
 * @param {Uint8Array} bytes
 * @returns {Generator<{marker: number, begin: number, end: number}>} from the marker on
 */
export function* jpegSegments(bytes) {
  for (let [place, left] = [2, MAX_WALK]; left > 0; left -= 1) {
    const begin = bytes.indexOf(0xff, place);
    if (begin < 0 || begin + 1 >= bytes.length) {
      return;
    }
    const marker = bytes[begin + 1];
    place = begin + (marker === 0xff ? 1 : 2);
    if (marker === 0 || marker === 0xff || MARKERS_ALONE.includes(marker)) {
      continue;
    }
    place += Math.max(2, uint(bytes, place, 2));
    yield { marker, begin, end: Math.min(place, bytes.length) };
    if (marker === SCAN_MARKER) {
      return;
    }
  }
}

/**
 * @param {Uint8Array} bytes
 * @returns {Generator<Part>} the last one may end behind the file
 */
export function* pngChunks(bytes) {
  for (let [place, left] = [8, MAX_WALK]; left > 0 && place + 8 <= bytes.length; left -= 1) {
    const end = place + 8 + uint(bytes, place, 4);
    yield { name: ascii(bytes, place + 4, 4), begin: place + 8, end };
    place = end + 4;
  }
}

/** @type {Uint32Array | undefined} */
let pngTable;

/**
 * The checksum of PNG, which is that of gzip.
 * @param {Uint8Array} bytes
 * @param {number} begin
 * @param {number} end
 */
export function pngChecksum(bytes, begin, end) {
  pngTable ??= Uint32Array.from({ length: 256 }, (_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit += 1) {
      value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    }
    return value;
  });
  let checksum = 0xffffffff;
  for (let i = begin; i < Math.min(end, bytes.length); i += 1) {
    checksum = pngTable[(checksum ^ bytes[i]) & 0xff] ^ (checksum >>> 8);
  }
  return (checksum ^ 0xffffffff) >>> 0;
}

/**
 * The chunks of a WebP; those in frames are not looked into.
 * @param {Uint8Array} bytes
 * @returns {Generator<Part>} the last one may end behind the file
 */
export function* webpChunks(bytes) {
  for (let [place, left] = [12, MAX_WALK]; left > 0 && place + 8 <= bytes.length; left -= 1) {
    const length = uint(bytes, place + 4, 4, true);
    yield { name: ascii(bytes, place, 4), begin: place + 8, end: place + 8 + length };
    place += 8 + length + (length % 2);
  }
}

/**
 * @typedef {object} GifFrame
 * @property {number} control where the flags of its control block are; 0 where it has none
 * @property {number} transparent the colour that is not shown, or -1
 * @property {number} disposal
 * @property {number} at where its description begins, behind the comma
 * @property {number} colours where its own colours are; 0 where it has none
 */

/**
 * The frames of a GIF, as far as they can be found.
 * @param {Uint8Array} bytes
 * @returns {Generator<GifFrame>}
 */
export function* gifFrames(bytes) {
  let [control, transparent, disposal] = [0, -1, 0];
  for (let place = 13 + gifColours(bytes, 10) * 3; place < bytes.length; ) {
    const kind = bytes[place];
    if (kind === 0x21) {
      if (bytes[place + 1] === 0xf9) {
        control = place + 3;
        transparent = bytes[control] & 1 ? bytes[control + 3] : transparent;
        disposal = (bytes[control] >> 2) & 7 || disposal;
      }
      place = gifBlocksEnd(bytes, place + 2);
    } else if (kind === 0x2c) {
      const own = gifColours(bytes, place + 9);
      yield { control, transparent, disposal, at: place + 1, colours: own > 0 ? place + 10 : 0 };
      [control, transparent] = [0, -1];
      place = gifBlocksEnd(bytes, place + 11 + own * 3);
    } else if (kind === 0x3b) {
      return;
    } else {
      place += 1;
    }
  }
}

/**
 * How many colours follow, as these flags say.
 * @param {Uint8Array} bytes
 * @param {number} flagsAt
 */
export function gifColours(bytes, flagsAt) {
  return bytes[flagsAt] & 0x80 ? 2 << (bytes[flagsAt] & 7) : 0;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} start
 */
function gifBlocksEnd(bytes, start) {
  let place = start;
  while (place < bytes.length && bytes[place] > 0) {
    place += bytes[place] + 1;
  }
  return place + 1;
}
