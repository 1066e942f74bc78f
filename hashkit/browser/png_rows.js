// The rows of a PNG: unpacked, their filters undone, and painted as pixels of four bytes.

import { uint } from "./bytes.js";
import { HashkitError } from "./errors.js";

/** @typedef {import("./png.js").PngHeader} PngHeader */
/** @typedef {import("./png.js").PngView} PngView */

/** @type {Record<number, number>} how many numbers a pixel has, by the kind of colours */
export const PNG_CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const CHECKSUM_BYTES = 4;
const SLICE = 16384; // bytes that are unpacked at once

/** Unpacks bytes as they are asked for. */
export class PngRows {
  /**
   * @param {Generator<Uint8Array>} pieces of packed bytes
   * @param {number} packed how many there are. The checksum at the end goes alone: where it is
   *   wrong, what is unpacked with it is lost
   */
  constructor(pieces, packed) {
    this.left = packed;
    /** @type {Uint8Array} */
    this.piece = new Uint8Array(0);
    /** @type {Uint8Array} */
    this.chunk = new Uint8Array(0);
    this.place = 0;
    const pull = (/** @type {ReadableStreamDefaultController<Uint8Array>} */ controller) => {
      while (this.piece.length === 0 && this.left > 0) {
        const next = pieces.next();
        this.piece = next.value ?? this.piece;
        this.left = next.done ? 0 : this.left;
      }
      const count = this.left > CHECKSUM_BYTES ? this.left - CHECKSUM_BYTES : this.left;
      const part = this.piece.subarray(0, Math.min(SLICE, count));
      this.piece = this.piece.subarray(part.length);
      this.left -= part.length;
      if (part.length > 0) {
        controller.enqueue(part);
      }
      if (this.left === 0) {
        controller.close();
      }
    };
    const unpacker = /** @type {ReadableWritablePair<Uint8Array, Uint8Array>} */ (
      new DecompressionStream("deflate"));
    this.reader = new ReadableStream({ pull }, { highWaterMark: 0 })
      .pipeThrough(unpacker).getReader();
  }

  /**
   * Fill `row` from what is unpacked already; false where that is not enough.
   * @param {Uint8Array} row
   */
  take(row) {
    const end = this.place + row.length;
    if (end > this.chunk.length) {
      return false;
    }
    row.set(this.chunk.subarray(this.place, end));
    this.place = end;
    return true;
  }

  /**
   * Fill `row`; false where the file ends before. Raises MediaCorrupt where it does not unpack.
   * @param {Uint8Array} row
   */
  async fill(row) {
    for (let done = 0; ; ) {
      const part = this.chunk.subarray(this.place, this.place + row.length - done);
      row.set(part, done);
      this.place += part.length;
      done += part.length;
      if (done === row.length) {
        return true;
      }
      const next = await this.reader.read().catch(() => null);
      if (next === null && this.left > 0) {
        throw new HashkitError("media_corrupt");
      }
      if (next === null || next.done) {
        return false;
      }
      [this.chunk, this.place] = [next.value, 0];
    }
  }

  /**
   * Whether the checksum directly behind the last row is wrong, or missing. Where more is unpacked
   * instead, nobody looks for it.
   */
  async endsBadly() {
    const next = await this.reader.read().catch(() => null);
    this.reader.cancel().catch(() => undefined);
    return this.place === this.chunk.length && next === null;
  }
}

/**
 * Undo what the first byte of a row names (PNG, third edition, 9.2).
 * @param {Uint8Array} row
 * @param {Uint8Array} above
 * @param {number} step from a byte to that of the pixel before
 */
export function undoFilter(row, above, step) {
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
export class PngPainter {
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
