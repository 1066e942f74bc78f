// Reads PNG where browsers do not tell what is in it: colours under transparency (WebKit loses them,
// others round them), the numbers of a palette, 16 bits, a file that is cut short or damaged, and an
// animation whose first picture is hidden. All else is left to the browser, which is faster.

import { uint } from "./bytes.js";
import { HashkitError, checkPixels } from "./errors.js";
import { pngChunks } from "./picture_parts.js";

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

/** @type {Record<number, number>} */
const PNG_CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** @type {Record<number, number[]>} */
const PNG_DEPTHS = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };
const ADAM7 = [
  [0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2],
];
const MAX_DEFLATION = 1040; // deflate makes at most 1032 bytes of one
const MIN_PART = 0.01; // of a picture: less was never of use

/**
 * @param {Uint8Array} bytes
 * @returns {PngHeader} raises MediaCorrupt where it makes no sense
 */
export function pngHeader(bytes) {
  const [depth, colours] = [bytes[24], bytes[25]];
  if (!(PNG_DEPTHS[colours] ?? []).includes(depth) || bytes[28] > 1) {
    throw new HashkitError("media_corrupt");
  }
  const header = {
    width: uint(bytes, 16, 4), height: uint(bytes, 20, 4), depth, colours,
    interlaced: bytes[28] === 1, palette: new Uint8Array(0),
    /** @type {Uint8Array | null} */ transparency: null,
    moves: false, hidden: false, frames: 1, ended: false,
  };
  let [controls, pixels] = [0, 0];
  for (const { name, begin, end } of pngChunks(bytes)) {
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
  const pieces = header.hidden ? piecesOfFrame(bytes) : piecesOf(bytes, "IDAT", 0);
  const packed = pieces.reduce((sum, each) => sum + each.length, 0);
  const bits = PNG_CHANNELS[header.colours] * header.depth;
  if (packed * MAX_DEFLATION < (frame.width * frame.height * bits * MIN_PART) / 8) {
    throw new HashkitError("media_truncated");
  }
  const rgba = new Uint8Array(header.width * header.height * 4);
  const painter = new PngPainter(header, view, rgba);
  const rows = rowsOf(frame, bits);
  const whole = await unpackRows(pieces, rows, bits, (row, pass, line) => {
    const [first, top, across, down] = pass;
    const at = (frame.top + top + line * down) * header.width + frame.left + first;
    painter.paint(row, Math.ceil((frame.width - first) / across), at, across);
  });
  if (!whole && header.ended) {
    throw new HashkitError("media_corrupt");
  }
  return { rgba, opaque: painter.opaque && frame.width * frame.height * 4 === rgba.length, cut: !whole };
}

/**
 * @param {Uint8Array} bytes
 * @param {string} wanted
 * @param {number} skipped bytes at the beginning of each
 */
function piecesOf(bytes, wanted, skipped) {
  const pieces = [];
  for (const { name, begin, end } of pngChunks(bytes)) {
    if (name === wanted) {
      pieces.push(bytes.subarray(begin + skipped, end));
    }
  }
  return pieces;
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

/** @param {Uint8Array} bytes */
function piecesOfFrame(bytes) {
  const pieces = [];
  let controls = 0;
  for (const { name, begin, end } of pngChunks(bytes)) {
    controls += name === "fcTL" ? 1 : 0;
    if (name === "fdAT" && controls === 1) {
      pieces.push(bytes.subarray(begin + 4, end));
    }
  }
  return pieces;
}

/**
 * The passes over a picture, each with the length of its rows in bytes, and their number.
 * @param {{width: number, height: number, interlaced: boolean}} frame
 * @param {number} bits of a pixel
 */
function rowsOf({ width, height, interlaced }, bits) {
  return (interlaced ? ADAM7 : [[0, 0, 1, 1]])
    .filter(([first, top]) => width > first && height > top)
    .map((pass) => ({
      pass,
      length: Math.ceil((Math.ceil((width - pass[0]) / pass[2]) * bits) / 8),
      count: Math.ceil((height - pass[1]) / pass[3]),
    }));
}

/**
 * Unpack rows and undo their filters, one at a time.
 * @param {Uint8Array[]} pieces
 * @param {{pass: number[], length: number, count: number}[]} passes
 * @param {number} bits of a pixel
 * @param {(row: Uint8Array, pass: number[], line: number) => void} onRow
 * @returns {Promise<boolean>} whether all rows were there
 */
async function unpackRows(pieces, passes, bits, onRow) {
  const unpacked = new Blob(/** @type {BlobPart[]} */ (pieces)).stream()
    .pipeThrough(new DecompressionStream("deflate")).getReader();
  const source = { reader: unpacked, chunk: new Uint8Array(0), place: 0 };
  const step = Math.max(1, bits >> 3);
  let whole = true;
  for (const { pass, length, count } of passes) {
    let above = new Uint8Array(length + 1);
    let row = new Uint8Array(length + 1);
    for (let line = 0; line < count; line += 1) {
      whole = whole && (await filled(source, row));
      if (whole) {
        undoFilter(row, above, step);
      } else {
        row.fill(0);
      }
      onRow(row.subarray(1), pass, line);
      [row, above] = [above, row];
    }
  }
  unpacked.cancel().catch(() => undefined);
  return whole;
}

/**
 * Fill `row` from the stream; false where that ends or breaks before.
 * @param {{reader: ReadableStreamDefaultReader<Uint8Array>, chunk: Uint8Array, place: number}} source
 * @param {Uint8Array} row
 */
function filled(source, row) {
  if (source.chunk.length - source.place >= row.length) {
    row.set(source.chunk.subarray(source.place, source.place + row.length));
    source.place += row.length;
    return true;
  }
  return filledFromNext(source, row);
}

/**
 * @param {{reader: ReadableStreamDefaultReader<Uint8Array>, chunk: Uint8Array, place: number}} source
 * @param {Uint8Array} row
 */
async function filledFromNext(source, row) {
  for (let done = 0; ; ) {
    const part = source.chunk.subarray(source.place, source.place + row.length - done);
    row.set(part, done);
    source.place += part.length;
    done += part.length;
    if (done === row.length) {
      return true;
    }
    try {
      const next = await source.reader.read();
      if (next.done) {
        return false;
      }
      [source.chunk, source.place] = [next.value, 0];
    } catch {
      return false;
    }
  }
}

/**
 * Undo what the first byte of a row names (PNG, third edition, 9.2).
 * @param {Uint8Array} row
 * @param {Uint8Array} above
 * @param {number} step from a byte to that of the pixel before
 */
function undoFilter(row, above, step) {
  const { length } = row;
  const first = Math.min(length, step + 1); // behind the first pixel, which has none before it
  if (row[0] === 1) {
    for (let i = first; i < length; i += 1) row[i] += row[i - step];
  } else if (row[0] === 2) {
    for (let i = 1; i < length; i += 1) row[i] += above[i];
  } else if (row[0] === 3) {
    for (let i = 1; i < first; i += 1) row[i] += above[i] >> 1;
    for (let i = first; i < length; i += 1) row[i] += (row[i - step] + above[i]) >> 1;
  } else if (row[0] === 4) {
    for (let i = 1; i < first; i += 1) row[i] += above[i];
    undoPaeth(row, above, step);
  } else if (row[0] > 4) {
    throw new HashkitError("media_corrupt");
  }
}

/**
 * @param {Uint8Array} row
 * @param {Uint8Array} above
 * @param {number} step
 */
function undoPaeth(row, above, step) {
  for (let i = step + 1; i < row.length; i += 1) {
    const left = row[i - step];
    const up = above[i];
    const corner = above[i - step];
    const byLeft = Math.abs(up - corner);
    const byUp = Math.abs(left - corner);
    const byCorner = Math.abs(left + up - 2 * corner);
    if (byLeft <= byUp && byLeft <= byCorner) {
      row[i] += left;
    } else {
      row[i] += byUp <= byCorner ? up : corner;
    }
  }
}

/** Writes rows of numbers as pixels of four bytes. */
class PngPainter {
  /**
   * @param {PngHeader} header
   * @param {PngView} view
   * @param {Uint8Array} rgba
   */
  constructor(header, view, rgba) {
    this.rgba = rgba;
    this.opaque = true;
    this.depth = header.depth;
    this.channels = PNG_CHANNELS[header.colours];
    this.scale = header.depth < 8 && header.colours === 0 ? 255 / ((1 << header.depth) - 1) : 1;
    this.colours = header.colours;
    this.view = view;
    this.palette = header.palette;
    this.transparency = header.transparency;
    this.hidden = hiddenColour(header);
  }

  /**
   * @param {Uint8Array} row
   * @param {number} count of pixels
   * @param {number} first where the first of them belongs, counted in pixels
   * @param {number} across to the next
   */
  paint(row, count, first, across) {
    const { rgba, colours, channels } = this;
    if (channels === 4 && this.depth === 8 && across === 1) {
      rgba.set(row, first * 4); // as most are: just what is wanted
      for (let i = 3; i < row.length && this.opaque; i += 4) {
        this.opaque = row[i] === 255;
      }
      return;
    }
    for (let i = 0; i < count; i += 1) {
      const at = (first + i * across) * 4;
      const value = this.sample(row, i * channels);
      let alpha = 255;
      if (this.view === "clipped") {
        rgba.fill(Math.min(255, uint(row, 2 * i, 2)), at, at + 3);
      } else if (colours === 3 && this.view === "shown") {
        alpha = this.transparency?.[value] ?? 255;
        for (let channel = 0; channel < 3; channel += 1) {
          rgba[at + channel] = this.palette[3 * value + channel] ?? 0;
        }
      } else if (channels < 3) {
        rgba.fill(value, at, at + 3);
        alpha = channels === 2 ? this.sample(row, i * 2 + 1) : alpha;
      } else {
        rgba[at] = value;
        rgba[at + 1] = this.sample(row, i * channels + 1);
        rgba[at + 2] = this.sample(row, i * channels + 2);
        alpha = channels === 4 ? this.sample(row, i * 4 + 3) : alpha;
      }
      if (this.hidden !== null && this.isHidden(row, i, at)) {
        alpha = 0;
      }
      rgba[at + 3] = alpha;
      this.opaque &&= alpha === 255;
    }
  }

  /**
   * The number at this place of a row, of 16 bits the high byte.
   * @param {Uint8Array} row
   * @param {number} index
   */
  sample(row, index) {
    const { depth } = this;
    if (depth >= 8) {
      return row[depth === 8 ? index : 2 * index];
    }
    const shift = 8 - depth - ((index * depth) & 7);
    return ((row[(index * depth) >> 3] >> shift) & ((1 << depth) - 1)) * this.scale;
  }

  /**
   * Whether a pixel has the one colour that is not shown. Of 16 bits of grey both bytes count, else
   * the ones that are shown, as in Python.
   * @param {Uint8Array} row
   * @param {number} index
   * @param {number} at
   */
  isHidden(row, index, at) {
    const { rgba, hidden } = this;
    if (hidden === null || this.view !== "shown") {
      return false;
    }
    if (this.colours === 0 && this.depth === 16) {
      return uint(row, 2 * index, 2) === hidden[0];
    }
    return hidden.every((value, channel) => rgba[at + channel] === (value & 255));
  }
}

/**
 * The colour that a picture without a palette does not show; null where it shows all.
 * @param {PngHeader} header
 */
function hiddenColour({ colours, depth, transparency }) {
  if (transparency === null || colours === 3) {
    return null;
  }
  const values = (colours === 0 ? [0] : [0, 2, 4]).map((at) => uint(transparency, at, 2));
  return depth === 1 ? [values[0] > 0 ? 255 : 0] : values;
}
