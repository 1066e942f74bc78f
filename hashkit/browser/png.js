// Reads PNG where browsers do not tell what is in it: colours under transparency (WebKit loses
// them, others round them), the numbers of a palette, 16 bits, a file that is cut short or damaged,
// and an animation whose first picture is hidden. All else the browser decodes, which is faster.

import { uint } from "./bytes.js";
import { HashkitError, checkPixels } from "./errors.js";
import { pngChecksum, pngChunks, startsWith } from "./picture_parts.js";
import { PNG_CHANNELS, PngPainter, PngRows, undoFilter } from "./png_rows.js";

/**
 * @typedef {object} PngHeader
 * @property {number} width
 * @property {number} height
 * @property {number} depth
 * @property {number} colours 0 grey, 2 colours, 3 palette, 4 grey and alpha, 6 colours and alpha
 * @property {boolean} interlaced
 * @property {Uint8Array} palette
 * @property {Uint8Array | null} transparency
 * @property {boolean} moves
 * @property {boolean} hidden the first picture is no frame of the animation
 * @property {number} frames as the file claims
 * @property {boolean} ended
 */

/** @typedef {"shown" | "indices" | "clipped"} PngView what the numbers in the file are taken for */
/** @typedef {{rgba: Uint8Array, opaque: boolean, cut: boolean}} PngPixels */

/** @type {Record<number, number[]>} */
const PNG_DEPTHS = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };
const ADAM7 = [
  [0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2],
];
const CHECKED_CHUNKS = ["IHDR", "PLTE", "tRNS"];
const MAX_DEFLATION = 1040; // deflate makes at most 1032 bytes of one
const MIN_PART = 0.01; // of a picture: less was never of use

/**
 * @param {Uint8Array} bytes
 * @returns {PngHeader} raises MediaCorrupt where it makes no sense, or is damaged
 */
export function pngHeader(bytes) {
  const [depth, colours] = [bytes[24], bytes[25]];
  const isKnown = startsWith(bytes, "IHDR", 12) && bytes[27] === 0 && bytes[28] < 2;
  if (!isKnown || !(PNG_DEPTHS[colours] ?? []).includes(depth)) {
    throw new HashkitError("media_corrupt");
  }
  const header = {
    width: uint(bytes, 16, 4), height: uint(bytes, 20, 4), depth, colours,
    interlaced: bytes[28] === 1,
    /** @type {Uint8Array} */ palette: new Uint8Array(0),
    /** @type {Uint8Array | null} */ transparency: null,
    moves: false, hidden: false, frames: 1, ended: false,
  };
  let [controls, pixels] = [0, 0];
  for (const { name, begin, end } of pngChunks(bytes)) {
    const checked = CHECKED_CHUNKS.includes(name);
    if (checked && pngChecksum(bytes, begin - 4, end) !== uint(bytes, end, 4)) {
      throw new HashkitError(end + 4 > bytes.length ? "media_truncated" : "media_corrupt");
    }
    if (name === "PLTE") {
      header.palette = bytes.subarray(begin, end);
    } else if (name === "tRNS" && colours < 4) {
      header.transparency = bytes.subarray(begin, end);
    } else if (name === "acTL" && pixels === 0) {
      header.frames = uint(bytes, begin, 4);
      header.moves = header.frames > 0;
    } else if (name === "fcTL") {
      controls += 1;
    } else if (name === "IDAT") {
      header.hidden ||= header.moves && controls === 0;
      pixels += 1;
    } else if (name === "IEND" && end <= bytes.length) {
      header.ended = true;
      break;
    }
  }
  return header;
}

/**
 * Decode a PNG to its numbers.
 * @param {Uint8Array} bytes
 * @param {PngHeader} header
 * @param {PngView} view
 * @returns {Promise<PngPixels>} four bytes a pixel, not laid on anything. `cut`: not all of them
 *   were there, the others have the number zero. Raises MediaCorrupt, MediaTruncated
 */
export async function readPng(bytes, header, view) {
  const frame = header.hidden ? firstFrame(bytes, header) : { ...header, left: 0, top: 0 };
  let packed = 0;
  for (const piece of packedPieces(bytes, header.hidden)) {
    packed += piece.length;
  }
  const bits = PNG_CHANNELS[header.colours] * header.depth;
  if (packed * MAX_DEFLATION < (frame.width * frame.height * bits * MIN_PART) / 8) {
    throw new HashkitError("media_truncated");
  }
  const rgba = new Uint8Array(header.width * header.height * 4);
  const painter = new PngPainter(header, view, rgba);
  const source = new PngRows(packedPieces(bytes, header.hidden), packed);
  const cut = !(await unpackRows(source, passesOf(frame, bits), bits, (row, pass, line) => {
    const [first, top, across, down] = pass;
    const at = (frame.top + top + line * down) * header.width + frame.left + first;
    painter.paint(row, Math.ceil((frame.width - first) / across), at, across);
  }));
  if (!cut && header.ended && (await source.endsBadly())) {
    throw new HashkitError("media_corrupt");
  }
  const whole = frame.width * frame.height * 4 === rgba.length;
  return { rgba, opaque: painter.opaque && whole, cut };
}

/**
 * The packed pixels.
 * @param {Uint8Array} bytes
 * @param {boolean} hidden those of the first frame instead of the picture that is hidden
 * @returns {Generator<Uint8Array>}
 */
function* packedPieces(bytes, hidden) {
  let controls = 0;
  for (const { name, begin, end } of pngChunks(bytes)) {
    controls += name === "fcTL" ? 1 : 0;
    if (hidden && name === "fdAT" && controls === 1) {
      yield bytes.subarray(begin + 4, end);
    } else if (!hidden && name === "IDAT") {
      yield bytes.subarray(begin, end);
    }
  }
}

/**
 * The size and place of the first frame of an animation whose first picture is hidden.
 * @param {Uint8Array} bytes
 * @param {PngHeader} header
 */
function firstFrame(bytes, header) {
  for (const { name, begin } of pngChunks(bytes)) {
    if (name === "fcTL") {
      const [width, height, left, top] = [4, 8, 12, 16].map((at) => uint(bytes, begin + at, 4));
      checkPixels(width, height, header.width * header.height);
      if (left + width <= header.width && top + height <= header.height) {
        return { width, height, left, top, interlaced: header.interlaced };
      }
      break;
    }
  }
  throw new HashkitError("media_corrupt");
}

/**
 * The passes over a picture, each with the length of its rows in bytes, and their number.
 * @param {{width: number, height: number, interlaced: boolean}} frame
 * @param {number} bits of a pixel
 */
function passesOf({ width, height, interlaced }, bits) {
  return (interlaced ? ADAM7 : [[0, 0, 1, 1]])
    .filter(([first, top]) => width > first && height > top)
    .map((pass) => ({
      pass,
      length: Math.ceil((Math.ceil((width - pass[0]) / pass[2]) * bits) / 8),
      count: Math.ceil((height - pass[1]) / pass[3]),
    }));
}

/**
 * Unpack rows and undo their filters, one at a time. Rows that are missing hold zeros.
 * @param {PngRows} source
 * @param {{pass: number[], length: number, count: number}[]} passes
 * @param {number} bits of a pixel
 * @param {(row: Uint8Array, pass: number[], line: number) => void} onRow
 * @returns {Promise<boolean>} whether all rows were there; raises MediaCorrupt
 */
async function unpackRows(source, passes, bits, onRow) {
  const step = Math.max(1, bits >> 3);
  let whole = true;
  for (const { pass, length, count } of passes) {
    let above = new Uint8Array(length + 1);
    let row = new Uint8Array(length + 1);
    for (let line = 0; line < count; line += 1) {
      whole = whole && (source.take(row) || (await source.fill(row)));
      if (whole) {
        undoFilter(row, above, step);
      } else {
        row.fill(0);
      }
      onRow(row.subarray(1), pass, line);
      [row, above] = [above, row];
    }
  }
  return whole;
}
