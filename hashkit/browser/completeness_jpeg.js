// JPEG: segments that say their length, and scans of Huffman codes, which do not (ITU-T T.81). What
// is missing shows by zeros that cannot be codes (hashkit/media/completeness/jpeg.py), or by codes
// that end too early, which jpeg_codes.js looks for.

import { findZeros, uint } from "./bytes.js";
import { isStray } from "./jpeg_bits.js";
import { JpegCodes } from "./jpeg_codes.js";

/** @typedef {import("./completeness.js").Finding} Finding */
/** @typedef {{marker: number, begin: number, stop: number, scanEnd: number}} JpegPart */
/** @typedef {{counts: Uint8Array, symbols: Uint8Array}} HuffmanTable as it is written (B.2.4.2) */

const [JPEG_TABLES, JPEG_SCAN, JPEG_END, JPEG_RESTARTS] = [0xc4, 0xda, 0xd9, 0xdd];
const RANDOM_ZEROS = 63; // in a row, at most, in the detail of a picture
const MAX_STEPS = 2048; // from white to black in blocks, each a step darker than the one before
const MAX_JPEG_SCANS = 100; // a progressive JPEG of a camera or a program has about ten
const NO_TABLE = { bits: 2, symbol: 1 }; // as in the tables of the standard, which may be left out

/**
 * Whether the first picture has no end, its codes do not last to its end, or its scans hold zeros
 * that cannot be codes.
 * @param {Uint8Array} bytes
 * @returns {Finding}
 */
export function lookAtJpeg(bytes) {
  const frame = new JpegFrame();
  const codes = new JpegCodes(bytes, frame);
  let [scans, isWhole, hasEnd] = [0, !isStray(bytes, 2), false];
  for (const part of jpegParts(bytes)) {
    hasEnd = part.marker === JPEG_END;
    frame.read(part.marker, bytes.subarray(part.begin, part.stop));
    if (part.marker === JPEG_SCAN) {
      scans += 1;
      const found = scans > MAX_JPEG_SCANS ? "missing" : codes.lookAt(part);
      if (found === "truncated") {
        return found;
      }
      isWhole &&= found === "nothing" && !holdsZeros(bytes, part, frame);
    } else if (!hasEnd) {
      isWhole &&= !isStray(bytes, part.stop);
    }
  }
  const isCut = !hasEnd && uint(bytes, bytes.length - 2, 2) !== 0xffd9;
  if (isCut && (scans !== 1 || !isWhole)) {
    return "truncated"; // another scan may be missing, or the rest of this one
  }
  return isWhole && hasEnd ? "nothing" : "missing";
}

/**
 * The segments of the first picture, up to and with its end marker. Where a scan follows, `scanEnd`
 * is where its codes end.
 * @param {Uint8Array} bytes
 * @returns {Generator<JpegPart>}
 */
function* jpegParts(bytes) {
  let place = nextJpegMarker(bytes, 2);
  while (place !== -1) {
    const marker = bytes[place + 1];
    if (marker === JPEG_END) {
      yield { marker, begin: place + 2, stop: place + 2, scanEnd: place + 2 };
      return;
    }
    const stop = place + 2 + uint(bytes, place + 2, 2);
    const next = nextJpegMarker(bytes, stop);
    const scanEnd = next === -1 ? bytes.length : next;
    yield { marker, begin: place + 4, stop, scanEnd };
    place = next;
  }
}

/**
 * Where the next marker is that is not one within a scan; -1 if there is none.
 * @param {Uint8Array} bytes
 * @param {number} start
 */
function nextJpegMarker(bytes, start) {
  for (let at = bytes.indexOf(0xff, start); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    const marker = bytes[at + 1] ?? 0;
    if (marker > 1 && marker !== 0xff && (marker < 0xd0 || marker > 0xd7)) {
      return at;
    }
  }
  return -1;
}

/**
 * @param {Uint8Array} bytes
 * @param {JpegPart} scan
 * @param {JpegFrame} frame
 */
function holdsZeros(bytes, scan, frame) {
  const length = frame.maxZeros(bytes.subarray(scan.begin, scan.stop)) + 1;
  return findZeros(bytes, scan.stop, scan.scanEnd, length) !== -1;
}

/** What a scan needs: how many blocks there are, and the codes. */
export class JpegFrame {
  constructor() {
    this.marker = 0;
    this.width = 0;
    this.height = 0;
    this.interval = 0; // units between restart markers
    /** @type {Map<number, {across: number, down: number}>} blocks of each component, by its name */
    this.sampling = new Map();
    /** @type {Map<number, HuffmanTable>} by class and number */
    this.tables = new Map();
  }

  /**
   * Take what a segment says, if it is of one of these kinds.
   * @param {number} marker
   * @param {Uint8Array} segment
   */
  read(marker, segment) {
    if (marker >= 0xc0 && marker <= 0xc2) {
      this.readHeader(marker, segment);
    } else if (marker === JPEG_TABLES) {
      this.readTables(segment);
    } else if (marker === JPEG_RESTARTS) {
      this.interval = uint(segment, 0, 2);
    }
  }

  /**
   * Take size and components from the frame header (B.2.2).
   * @param {number} marker
   * @param {Uint8Array} segment
   */
  readHeader(marker, segment) {
    this.marker = marker;
    [this.height, this.width] = [uint(segment, 1, 2), uint(segment, 3, 2)];
    this.sampling.clear();
    for (let at = 6; at < segment.length - 2; at += 3) {
      const [across, down] = [segment[at + 1] >> 4 || 1, segment[at + 1] & 15 || 1];
      this.sampling.set(segment[at], { across, down });
    }
  }

  /** @param {Uint8Array} segment */
  readTables(segment) {
    let rest = segment;
    while (rest.length > 17) {
      const counts = rest.slice(1, 17);
      const end = 17 + counts.reduce((sum, count) => sum + count, 0);
      this.tables.set(rest[0], { counts, symbols: rest.slice(17, end) });
      rest = rest.subarray(end);
    }
  }

  /**
   * The first code of a table, which is all zeros: its length and what it stands for.
   * @param {number} name
   */
  firstCode(name) {
    const table = this.tables.get(name);
    if (table === undefined) {
      return NO_TABLE;
    }
    return { bits: table.counts.findIndex((count) => count > 0) + 1, symbol: table.symbols[0] };
  }

  /**
   * How many zero bytes in a row there can be at most in the scan with this header. They can be a
   * plain area, if the first code of each table stands for "as the block before" and "nothing more
   * in this block"; or a slope. But of no more blocks than the picture has.
   * @param {Uint8Array} scan
   */
  maxZeros(scan) {
    const count = scan[0] ?? 0;
    const [first, last, steps] = [1, 2, 3].map((at) => scan[2 * count + at] ?? 0);
    if (steps >> 4) { // progressive: a further bit of what was coded before
      return Math.max(RANDOM_ZEROS, Math.floor((this.width * this.height) / 8));
    }
    let [bits, across, down, isSlope] = [0, 1, 1, false];
    for (let at = 1; at < Math.min(2 * count, scan.length - 1); at += 2) {
      const one = (count > 1 && this.sampling.get(scan[at])) || { across: 1, down: 1 };
      [across, down] = [Math.max(across, one.across), Math.max(down, one.down)];
      if (last > 0) {
        const code = this.firstCode(0x10 | (scan[at + 1] & 15));
        if (code.symbol & 15 || code.symbol === 0xf0) {
          return RANDOM_ZEROS;
        }
        bits += (code.bits + (code.symbol > 0 ? 1 : 0)) * one.across * one.down;
      }
      if (first === 0) {
        const code = this.firstCode(scan[at + 1] >> 4);
        isSlope ||= code.symbol > 0;
        bits += (code.bits + code.symbol) * one.across * one.down;
      }
    }
    const units = Math.ceil(this.width / (8 * across)) * Math.ceil(this.height / (8 * down));
    const blocks = isSlope ? Math.min(units, MAX_STEPS) : units;
    return Math.max(RANDOM_ZEROS, Math.floor((blocks * bits) / 8));
  }
}
