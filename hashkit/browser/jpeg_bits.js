// The bits of a JPEG's scans, and the tables of their Huffman codes (ITU-T T.81, C and F.2.2).

/** @typedef {import("./completeness_jpeg.js").HuffmanTable} HuffmanTable */

export const NO_FAULT = 0;
export const OUT_OF_FILE = 1;
const OUT_OF_CODES = 2; // a marker is where codes should be
const NO_CODE = 3; // bits that stand for nothing

/** The bits of a scan. Behind a fault, they are zeros. */
export class JpegBits {
  /**
   * @param {Uint8Array} bytes
   * @param {number} place
   */
  constructor(bytes, place) {
    this.bytes = bytes;
    this.place = place;
    this.buffer = 0;
    this.count = 0;
    this.fault = NO_FAULT;
  }

  /** Take bytes, so that there are 25 bits or more, or all that there are. */
  fill() {
    while (this.count <= 24) {
      const byte = this.bytes[this.place];
      if (byte === undefined) {
        return;
      }
      if (byte === 0xff) {
        let next = this.place + 1;
        while (this.bytes[next] === 0xff) {
          next += 1;
        }
        if (this.bytes[next] !== 0) { // a marker, or the end
          return;
        }
        this.place = next;
      }
      this.place += 1;
      this.buffer = (this.buffer << 8) | byte;
      this.count += 8;
    }
  }

  /**
   * @param {number} bits at most 16
   * @returns {number} what they are as a number
   */
  take(bits) {
    if (this.count < bits) {
      this.fill();
      if (this.count < bits) {
        this.stop();
        return 0;
      }
    }
    this.count -= bits;
    return (this.buffer >>> this.count) & ((1 << bits) - 1);
  }

  /**
   * The sign of a coefficient that becomes known as 1.
   * @param {number} size as a code says, which may be nonsense
   */
  takeSign(size) {
    this.fault ||= size === 1 ? NO_FAULT : NO_CODE;
    this.take(1);
  }

  /**
   * The bits of a DC coefficient.
   * @param {number} bits as a code says, which may be nonsense
   */
  takeLong(bits) {
    if (bits > 16) {
      this.fault ||= NO_CODE;
    } else {
      this.take(bits);
    }
  }

  /**
   * @param {Uint16Array} table made by `lookupOf`
   * @returns {number} what the next code stands for
   */
  symbol(table) {
    if (this.count < 16) {
      this.fill();
    }
    const { count } = this;
    const next = count < 16 ? this.buffer << (16 - count) : this.buffer >>> (count - 16);
    const found = table[next & 0xffff];
    const bits = found >> 8;
    if (bits > count) {
      this.stop();
      return 0;
    }
    if (bits === 0) {
      this.fault ||= count < 16 ? this.outOf() : NO_CODE;
      return 0;
    }
    this.count -= bits;
    return found & 255;
  }

  stop() {
    this.count = 0;
    this.fault ||= this.outOf();
  }

  outOf() {
    return this.place + 1 < this.bytes.length ? OUT_OF_CODES : OUT_OF_FILE;
  }

  /**
   * Go behind the next restart marker, which has to be here and of this number.
   * @param {number} number
   */
  restart(number) {
    if (this.count >= 8) {
      this.fault ||= OUT_OF_CODES;
    }
    while (this.bytes[this.place] === 0xff && this.bytes[this.place + 1] === 0xff) {
      this.place += 1;
    }
    if (this.bytes[this.place] !== 0xff || this.bytes[this.place + 1] !== 0xd0 + number) {
      this.fault ||= this.outOf();
    }
    [this.place, this.buffer, this.count] = [this.place + 2, 0, 0];
  }
}

/**
 * Whether bytes stand before the next marker that belong to nothing. Python's decoder names the
 * marker; before some, cameras write such bytes into pictures that are whole.
 * @param {Uint8Array} bytes
 * @param {number} place where a marker should be
 * @param {boolean} [areLeft] whether there are some before `place`
 */
export function isStray(bytes, place, areLeft = false) {
  let [at, hasStray] = [place, areLeft];
  for (;;) {
    const start = bytes.indexOf(0xff, at);
    hasStray ||= start !== at;
    if (start === -1) {
      return false;
    }
    at = start + 1;
    while (bytes[at] === 0xff) {
      at += 1;
    }
    if (bytes[at] !== 0) {
      break;
    }
    hasStray = true;
    at += 1;
  }
  const marker = bytes[at] ?? 0xd9;
  const isHarmless = marker >> 4 === 0xe || [0xd9, 0xdb, 0xc0, 0xc1, 0xc2, 0xfe].includes(marker);
  return hasStray && !isHarmless;
}

export const UNUSED_TABLE = new Uint16Array(0);
export const UNSOUND_TABLE = new Uint16Array(0);

/**
 * The symbol and, above it, the length of the code with which 16 bits begin, for all of them.
 * @param {HuffmanTable | undefined} table
 * @returns {Uint16Array} UNSOUND_TABLE where there is none, or with more codes than there can be
 */
export function lookupOf(table) {
  if (table === undefined) {
    return UNSOUND_TABLE;
  }
  const found = new Uint16Array(1 << 16);
  let [code, index] = [0, 0];
  for (let bits = 1; bits <= 16; bits += 1) {
    for (let left = table.counts[bits - 1]; left > 0; left -= 1) {
      const end = code + (1 << (16 - bits));
      if (end >= 1 << 16) { // no code consists of ones
        return UNSOUND_TABLE;
      }
      found.fill((bits << 8) | (table.symbols[index] ?? 0), code, end);
      [code, index] = [end, index + 1];
    }
  }
  return found;
}
