// GIF: blocks, of sub-blocks that say their length, up to a trailer (GIF89a, 12 to 27), and in the
// first frame the codes of its pixels (appendix F), of which browsers show as many as there are.

import { endOfZeros } from "./bytes.js";

/** @typedef {import("./completeness.js").Finding} Finding */

const [GIF_IMAGE, GIF_EXTENSION, GIF_TRAILER] = [0x2c, 0x21, 0x3b];
const MAX_STRAY = 16; // zeros between blocks that some writers leave, and all viewers skip

/**
 * Whether a block ends behind the file, something else is where one should begin, or the first
 * frame lacks pixels.
 * @param {Uint8Array} bytes
 * @returns {Finding}
 */
export function lookAtGif(bytes) {
  let place = 13 + tableLength(bytes, 10);
  let isFirst = true;
  while (place < bytes.length && bytes[place] !== GIF_TRAILER) {
    if (bytes[place] === GIF_IMAGE) {
      const codes = place + 10 + tableLength(bytes, place + 9);
      const found = isFirst ? lookAtCodes(bytes, codes, gifPixels(bytes, place)) : "nothing";
      if (found !== "nothing") {
        return found;
      }
      isFirst = false;
      place = endOfSubBlocks(bytes, codes + 1);
    } else if (bytes[place] === GIF_EXTENSION) {
      place = endOfSubBlocks(bytes, place + 2);
    } else {
      place = endOfZeros(bytes, place, place + MAX_STRAY);
      if (![GIF_IMAGE, GIF_EXTENSION, GIF_TRAILER].includes(bytes[place])) {
        return "missing";
      }
    }
  }
  if (isFirst) {
    return "truncated";
  }
  return place > bytes.length ? "missing" : "nothing"; // some writers leave the trailer out
}

/**
 * Whether a frame has all of its pixels.
 * @param {Uint8Array} bytes
 * @param {number} place of its block
 */
export function isGifFrameWhole(bytes, place) {
  const codes = place + 10 + tableLength(bytes, place + 9);
  return lookAtCodes(bytes, codes, gifPixels(bytes, place)) === "nothing";
}

/**
 * @param {Uint8Array} bytes
 * @param {number} flagsAt
 */
function tableLength(bytes, flagsAt) {
  const flags = bytes[flagsAt] ?? 0;
  return flags & 0x80 ? 3 << ((flags & 7) + 1) : 0;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} place of the image block
 */
function gifPixels(bytes, place) {
  const [width, height] = [5, 7].map((at) => bytes[place + at] + 256 * bytes[place + at + 1]);
  return width * height;
}

/**
 * Behind the empty sub-block; behind the end of the file where there is none.
 * @param {Uint8Array} bytes
 * @param {number} place
 */
function endOfSubBlocks(bytes, place) {
  let at = place;
  while (at < bytes.length && bytes[at]) {
    at += bytes[at] + 1;
  }
  return at + 1;
}

/** The codes of a frame, whatever sub-blocks they are in. */
class GifCodes {
  /**
   * @param {Uint8Array} bytes
   * @param {number} place of the first sub-block
   */
  constructor(bytes, place) {
    this.bytes = bytes;
    this.place = place;
    this.inBlock = 0;
    this.buffer = 0;
    this.count = 0;
  }

  /**
   * @param {number} bits at most 12
   * @returns {number} -1 where there are no more
   */
  take(bits) {
    while (this.count < bits) {
      if (this.inBlock === 0) {
        this.inBlock = this.bytes[this.place] ?? 0;
        this.place += 1;
      }
      if (this.inBlock === 0 || this.place >= this.bytes.length) {
        return -1;
      }
      this.buffer |= this.bytes[this.place] << this.count;
      this.count += 8;
      this.place += 1;
      this.inBlock -= 1;
    }
    const code = this.buffer & ((1 << bits) - 1);
    this.buffer >>= bits;
    this.count -= bits;
    return code;
  }
}

const MAX_GIF_BITS = 12;

/**
 * Whether these are the codes of so many pixels. Only the lengths of what they stand for are kept.
 * @param {Uint8Array} bytes
 * @param {number} place of the byte that says how many bits a pixel has
 * @param {number} pixels
 * @returns {Finding}
 */
function lookAtCodes(bytes, place, pixels) {
  const pixelBits = bytes[place] ?? 0;
  if (pixelBits >= MAX_GIF_BITS) {
    return "missing";
  }
  const clear = 1 << pixelBits;
  const lengths = new Uint32Array(1 << MAX_GIF_BITS).fill(1, 0, clear);
  const codes = new GifCodes(bytes, place + 1);
  let [next, bits, last, left] = [clear + 2, pixelBits + 1, 0, pixels];
  while (left > 0) {
    const code = codes.take(bits);
    if (code === clear) {
      [next, bits, last] = [clear + 2, pixelBits + 1, 0];
      continue;
    }
    if (code === -1 || code === clear + 1) {
      return "truncated";
    }
    if (code > (last ? next : clear)) {
      return "missing"; // stands for nothing
    }
    if (last && next < 1 << MAX_GIF_BITS) {
      lengths[next] = last + 1;
      next += 1;
      bits += next === 1 << bits && bits < MAX_GIF_BITS ? 1 : 0;
    }
    last = lengths[code];
    left -= last;
  }
  return "nothing";
}
