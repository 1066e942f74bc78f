// Small readers that all parsers share.

const FILE_PAGE = 1 << 16;
const MAX_FILE_PAGES = 4;
const MAX_ARGUMENTS = 4096; // of a call: engines have their limits

/** A file that is read in pieces wherever a parser asks: memory does not grow with its size. */
export class FileBytes {
  /** @param {Blob} blob */
  constructor(blob) {
    this.blob = blob;
    this.size = blob.size;
    /** @type {Map<number, Promise<Uint8Array>>} pages by number, the one last used at the end */
    this.pages = new Map();
  }

  /**
   * @param {number} place
   * @param {number} count
   * @returns {Promise<Uint8Array>} up to `count` bytes from `place` on; fewer where the file ends,
   *   none where it ends before. Do not change them: they may be given again.
   */
  async at(place, count) {
    const end = Math.min(place + count, this.size);
    if (!(place >= 0 && place < end)) {
      return new Uint8Array(0);
    }
    const first = Math.floor(place / FILE_PAGE);
    if (end > (first + 2) * FILE_PAGE) {
      return bytesOf(this.blob, place, end); // it would push out all other pages
    }
    const start = first * FILE_PAGE;
    const page = await this.page(first);
    if (end <= start + FILE_PAGE) {
      return page.subarray(place - start, end - start);
    }
    const next = await this.page(first + 1);
    const bytes = new Uint8Array(end - place);
    bytes.set(page.subarray(place - start));
    bytes.set(next.subarray(0, end - start - FILE_PAGE), start + FILE_PAGE - place);
    return bytes;
  }

  /** @param {number} number */
  page(number) {
    const start = number * FILE_PAGE;
    const found = this.pages.get(number) ?? bytesOf(this.blob, start, start + FILE_PAGE);
    this.pages.delete(number);
    this.pages.set(number, found);
    if (this.pages.size > MAX_FILE_PAGES) {
      this.pages.delete(this.pages.keys().next().value ?? 0);
    }
    return found;
  }
}

/**
 * @param {Blob} blob
 * @param {number} start
 * @param {number} end at most: fewer bytes where the file ends
 * @returns {Promise<Uint8Array>} raises the browser's own error where the file cannot be read
 */
export async function bytesOf(blob, start, end) {
  return new Uint8Array(await blob.slice(start, end).arrayBuffer());
}

/**
 * Bytes as text in latin-1: a character for each byte.
 * @param {Uint8Array} bytes
 * @param {number} [place]
 * @param {number} [count] at most so many; fewer where `bytes` end
 */
export function ascii(bytes, place = 0, count = bytes.length) {
  const end = Math.min(place + count, bytes.length);
  let text = "";
  for (let i = place; i < end; i += MAX_ARGUMENTS) {
    text += String.fromCharCode(...bytes.subarray(i, Math.min(i + MAX_ARGUMENTS, end)));
  }
  return text;
}

/**
 * A number without a sign, as Python's int.from_bytes of a slice: of the bytes that are there.
 * Exact up to 2^53; above, near enough to be compared with a size.
 * @param {Uint8Array} bytes
 * @param {number} place
 * @param {number} width in bytes
 * @param {boolean} [little] the lowest byte first
 */
export function uint(bytes, place, width, little = false) {
  const end = Math.min(place + width, bytes.length);
  let value = 0;
  for (let i = place; i < end; i += 1) {
    value = value * 256 + bytes[little ? end - 1 - (i - place) : i];
  }
  return value;
}

/**
 * @param {Uint8Array} bytes
 * @param {string} wanted in latin-1
 * @param {number} [start]
 * @param {number} [end] behind the last byte that may belong to it
 * @returns {number} where it is first; -1 where it is not
 */
export function find(bytes, wanted, start = 0, end = bytes.length) {
  const last = Math.min(end, bytes.length) - wanted.length;
  const first = wanted.charCodeAt(0);
  for (let at = start; at <= last; at += 1) {
    at = bytes.indexOf(first, at);
    if (at === -1 || at > last) {
      return -1;
    }
    let same = 1;
    while (same < wanted.length && bytes[at + same] === wanted.charCodeAt(same)) {
      same += 1;
    }
    if (same === wanted.length) {
      return at;
    }
  }
  return -1;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 * @param {number} length at least 1
 * @returns {number} where `length` zeros in a row begin first; -1 where there are none
 */
export function findZeros(bytes, start, end, length) {
  const last = Math.min(end, bytes.length) - length;
  let place = start;
  while (place <= last) {
    let at = place + length - 1; // from the end: what is not zero there makes the step long
    while (at >= place && bytes[at] === 0) {
      at -= 1;
    }
    if (at < place) {
      return place;
    }
    place = at + 1;
  }
  return -1;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 * @returns {number} where the zeros from `start` on end; at most `end`
 */
export function endOfZeros(bytes, start, end) {
  const last = Math.min(end, bytes.length);
  let at = start;
  while (at < last && bytes[at] === 0) {
    at += 1;
  }
  return at;
}
