// The pixels of a picture in display orientation, a band of rows at a time.

import { storedArea, turnedRows } from "./orientation.js";

/** @typedef {import("./errors.js").Notice} Notice */
/** @typedef {import("./pixel_sources.js").Source} Source */
/** @typedef {{data: Uint8Array | Uint8ClampedArray, rows: number}} Band */

/** Of EXIF's orientations 1 to 8, how what is stored is turned. */
const TURN_NAMES = [
  "original", "mirrored", "rotated-180", "flipped",
  "transposed", "rotated-270", "transverse", "rotated-90",
];

/**
 * A picture, upright, on white: a file as people see it, or another reading of it.
 * `close` lets go of all memory, also of the readings.
 */
export class Picture {
  /**
   * @param {Source} source
   * @param {number} orientation
   */
  constructor(source, orientation) {
    this.source = source;
    this.orientation = orientation;
    this.width = orientation >= 5 ? source.height : source.width;
    this.height = orientation >= 5 ? source.width : source.height;
    this.channels = 4;
    /** @type {{name: string, picture: Picture}[]} what other tools make of the same file */
    this.readings = [];
    /** @type {Notice[]} */
    this.notices = [];
    /** @type {boolean | null} whether rows were missing; null where nobody looked */
    this.isCut = null;
  }

  /**
   * Rows from the top down, as red, green, blue and a fourth byte that means nothing. May be asked
   * for more than once.
   * @returns {AsyncGenerator<Band>}
   */
  async *bands() {
    const { source, orientation, width, height } = this;
    const most = Math.max(1, Math.floor(source.bandPixels / width));
    for (let top = 0; top < height; top += most) {
      const rows = Math.min(most, height - top);
      const stored = await source.read(...storedArea(orientation, width, height, top, rows));
      yield { data: turnedRows(stored, width, rows, orientation), rows };
    }
  }

  /**
   * The same pixels as they lie, and the name in PDQ_TURNS of how they are turned to be upright.
   * @returns {{picture: Picture, turn: string}}
   */
  get stored() {
    return { picture: new Picture(this.source, 1), turn: TURN_NAMES[this.orientation - 1] };
  }

  close() {
    this.source.close();
    this.readings.forEach(({ picture }) => picture.close());
  }
}
