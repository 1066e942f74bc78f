// What the coded frames say of themselves: the name that WebCodecs knows their coding by, and how
// colour is coded. H.264: ITU-T H.264, 7.3.2.1 and E.1; VP9: the bitstream specification, 6.2; AV1:
// 5.5; their names: the WebCodecs codec registry.

import { uint } from "./bytes.js";

/** @typedef {{matrix: number | null, isFullRange: boolean}} Colour `matrix` of ISO/IEC 23091-2 */
/** @typedef {{name: string, family: string, colour: Colour}} Coding */

const UNSPECIFIED = 2;
export const IDENTITY = 0; // red, green and blue as they are
const BT709 = 1;
const BT601 = 6;
const BT470 = 5; // the same numbers
const BT2020 = 9;

/** Reads numbers bit by bit; behind the end there are zeros. */
class BitReader {
  /** @param {Uint8Array} bytes @param {number} [place] in bits */
  constructor(bytes, place = 0) {
    this.bytes = bytes;
    this.place = place;
  }

  /** @param {number} count at most 32 */
  bits(count) {
    let value = 0;
    for (let i = 0; i < count; i++, this.place++) {
      value = value * 2 + (((this.bytes[this.place >> 3] ?? 0) >> (7 - (this.place & 7))) & 1);
    }
    return value;
  }

  flag() {
    return this.bits(1) === 1;
  }

  /** A number without a sign in Exp-Golomb code. */
  golomb() {
    let zeros = 0;
    while (zeros < 32 && !this.flag() && this.place < 8 * this.bytes.length) zeros++;
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  signedGolomb() {
    const value = this.golomb();
    return value & 1 ? (value + 1) / 2 : -value / 2;
  }
}

/**
 * @param {string} family `h264`, `hevc`, `vp8`, `vp9` or `av1`
 * @param {Uint8Array | undefined} setup what the container has for the decoder
 * @param {Uint8Array} first the first coded frame that can be decoded on its own
 * @param {Colour} said what the container says of colour
 * @returns {Coding | null} null where this is no such coding
 */
export function codingOf(family, setup, first, said) {
  if (family === "h264" && setup && setup.length > 8) return h264Coding(setup, said);
  if (family === "hevc" && setup && setup.length > 22) return hevcCoding(setup, said);
  if (family === "vp8") {
    return { name: "vp8", family, colour: { matrix: BT470, isFullRange: said.isFullRange } };
  }
  if (family === "vp9") return vp9Coding(first);
  if (family === "av1") return av1Coding(setup, first);
  return null;
}

/** @param {number} value @param {number} [width] */
const hex = (value, width = 2) => value.toString(16).padStart(width, "0");
/** @param {number} value */
const twoDigits = (value) => String(value).padStart(2, "0");

/** @param {Uint8Array} setup @param {Colour} said @returns {Coding} */
function h264Coding(setup, said) {
  const name = `avc1.${hex(setup[1])}${hex(setup[2])}${hex(setup[3])}`;
  const length = setup[6] * 256 + setup[7];
  const colour = h264Colour(withoutEscapes(setup.subarray(8, 8 + length)), said);
  return { name, family: "h264", colour };
}

/**
 * A unit of H.264 without the bytes that keep start codes out of it.
 * @param {Uint8Array} unit
 */
function withoutEscapes(unit) {
  const isEscape = (/** @type {number} */ i) => unit[i] === 3 && !unit[i - 1] && !unit[i - 2];
  return unit.filter((_, i) => i < 2 || !isEscape(i));
}

const WITH_CHROMA = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]; // profiles

/** @param {Uint8Array} parameters @param {Colour} said @returns {Colour} */
function h264Colour(parameters, said) {
  const reader = new BitReader(parameters, 8);
  const profile = reader.bits(8);
  reader.bits(16);
  reader.golomb();
  if (WITH_CHROMA.includes(profile)) skipChroma(reader);
  reader.golomb();
  const order = reader.golomb();
  if (order === 0) reader.golomb();
  if (order === 1) {
    reader.flag();
    reader.signedGolomb();
    reader.signedGolomb();
    for (let left = Math.min(reader.golomb(), 255); left > 0; left--) reader.signedGolomb();
  }
  reader.golomb();
  reader.flag();
  reader.golomb();
  reader.golomb();
  if (!reader.flag()) reader.flag(); // coded as fields
  reader.flag();
  if (reader.flag()) for (let side = 0; side < 4; side++) reader.golomb(); // cropped
  return reader.flag() ? shownColour(reader, said) : said;
}

/** @param {BitReader} reader */
function skipChroma(reader) {
  const format = reader.golomb();
  if (format === 3) reader.flag();
  reader.golomb();
  reader.golomb();
  reader.flag();
  if (!reader.flag()) return;
  for (let list = 0; list < (format === 3 ? 12 : 8); list++) {
    if (!reader.flag()) continue;
    let [last, next] = [8, 8];
    for (let i = 0; i < (list < 6 ? 16 : 64) && next; i++) {
      next = (last + reader.signedGolomb() + 256) % 256;
      last = next || last;
    }
  }
}

/** @param {BitReader} reader @param {Colour} said @returns {Colour} */
function shownColour(reader, said) {
  if (reader.flag() && reader.bits(8) === 255) reader.bits(32); // shape of pixels
  if (reader.flag()) reader.flag();
  if (!reader.flag()) return said;
  reader.bits(3);
  const isFullRange = reader.flag();
  if (!reader.flag()) return { matrix: said.matrix, isFullRange };
  reader.bits(16);
  return { matrix: specified(reader.bits(8)), isFullRange };
}

/** @param {number} matrix */
const specified = (matrix) => (matrix === UNSPECIFIED ? null : matrix);

/** @param {Uint8Array} setup @param {Colour} said @returns {Coding} */
function hevcCoding(setup, said) {
  const space = ["", "A", "B", "C"][setup[1] >> 6];
  let compatible = 0;
  for (let bit = 0; bit < 32; bit++) {
    if ((setup[2 + (bit >> 3)] >> (7 - (bit & 7))) & 1) compatible += 2 ** bit;
  }
  const tier = setup[1] & 0x20 ? "H" : "L";
  const constraints = [...setup.subarray(6, 12)];
  while (constraints.length && !constraints[constraints.length - 1]) constraints.pop();
  const parts = [`${space}${setup[1] & 31}`, compatible.toString(16), `${tier}${setup[12]}`];
  const name = ["hvc1", ...parts, ...constraints.map((each) => hex(each))];
  return { name: name.join("."), family: "hevc", colour: said };
}

/**
 * Whether the units of a frame of H.264 or HEVC fill it, each of the length that it says.
 * @param {Uint8Array} frame
 * @param {string} family
 * @param {Uint8Array | undefined} setup
 */
export function unitsFit(frame, family, setup) {
  if (!setup || !(family === "h264" || family === "hevc")) return true;
  const width = (setup[family === "h264" ? 4 : 21] & 3) + 1;
  let place = 0;
  while (place + width < frame.length) {
    const length = uint(frame, place, width);
    place += width;
    if (length === 0 || frame[place] > 127) return false; // the first bit of a unit is 0
    place += length;
  }
  return place === frame.length;
}

const VP9_MATRICES = [null, BT470, BT709, BT601, 7, BT2020, null, IDENTITY];

/** @param {Uint8Array} frame that can be decoded on its own @returns {Coding | null} */
function vp9Coding(frame) {
  const reader = new BitReader(frame);
  if (reader.bits(2) !== 2) return null;
  const profile = reader.bits(1) + 2 * reader.bits(1);
  if (profile === 3) reader.flag();
  if (reader.flag() || reader.flag()) return null; // it shows or needs another frame
  reader.bits(2);
  if (reader.bits(24) !== 0x498342) return null;
  const depth = profile < 2 ? 8 : reader.flag() ? 12 : 10;
  const space = reader.bits(3);
  const matrix = VP9_MATRICES[space];
  const isFullRange = matrix === IDENTITY || reader.flag();
  const name = `vp09.${twoDigits(profile)}.10.${twoDigits(depth)}`;
  return { name, family: "vp9", colour: { matrix, isFullRange } };
}

/**
 * @param {Uint8Array | undefined} setup
 * @param {Uint8Array} frame that can be decoded on its own
 * @returns {Coding | null}
 */
function av1Coding(setup, frame) {
  const sequence = av1Sequence(setup?.subarray(4) ?? frame) ?? av1Sequence(frame);
  return sequence && av1Described(new BitReader(sequence));
}

/**
 * The content of the sequence header among units of AV1.
 * @param {Uint8Array} units
 */
function av1Sequence(units) {
  for (let place = 0, parts = 0; place < units.length && parts < 64; parts++) {
    const header = units[place++];
    if (header & 4) place++;
    let length = units.length - place;
    if (header & 2) {
      length = 0;
      for (let i = 0; i < 8; i++) {
        const byte = units[place++] ?? 0;
        length += (byte & 127) * 2 ** (7 * i);
        if (byte < 128) break;
      }
    }
    if (((header >> 3) & 15) === 1) return units.subarray(place, place + length);
    place += length;
  }
  return null;
}

/** @param {BitReader} reader @returns {Coding} */
function av1Described(reader) {
  const profile = reader.bits(3);
  reader.flag();
  const isStill = reader.flag(); // with a header that is shorter
  const [level, tier] = isStill ? [reader.bits(5), 0] : av1Level(reader);
  const [wide, high] = [reader.bits(4) + 1, reader.bits(4) + 1];
  reader.bits(wide);
  reader.bits(high);
  if (!isStill && reader.flag()) reader.bits(7);
  reader.bits(3);
  if (!isStill) skipAv1Tools(reader);
  reader.bits(3);
  const [depth, colour] = av1Colour(reader, profile);
  const name = `av01.${profile}.${twoDigits(level)}${tier ? "H" : "M"}.${twoDigits(depth)}`;
  return { name, family: "av1", colour };
}

/**
 * @param {BitReader} reader
 * @returns {number[]} level and tier of the first of the ways to decode, which is all of it
 */
function av1Level(reader) {
  let delayBits = 0;
  if (reader.flag()) {
    reader.bits(64);
    if (reader.flag()) reader.golomb();
    if (reader.flag()) {
      delayBits = reader.bits(5) + 1;
      reader.bits(42);
    }
  }
  const hasDelays = reader.flag();
  const levels = [];
  for (let left = reader.bits(5); left >= 0; left--) {
    reader.bits(12);
    const level = reader.bits(5);
    levels.push([level, level > 7 ? reader.bits(1) : 0]);
    if (delayBits && reader.flag()) reader.bits(2 * delayBits + 1);
    if (hasDelays && reader.flag()) reader.bits(4);
  }
  return levels[0];
}

/** @param {BitReader} reader */
function skipAv1Tools(reader) {
  reader.bits(4);
  const hasOrder = reader.flag();
  if (hasOrder) reader.bits(2);
  const maySetTools = reader.flag() || reader.flag();
  if (maySetTools && !reader.flag()) reader.flag();
  if (hasOrder) reader.bits(3);
}

/**
 * @param {BitReader} reader
 * @param {number} profile
 * @returns {[number, Colour]} bits, and colour
 */
function av1Colour(reader, profile) {
  const isDeep = reader.flag();
  const depth = isDeep ? (profile === 2 && reader.flag() ? 12 : 10) : 8;
  const isGrey = profile !== 1 && reader.flag();
  const described = reader.flag() ? [reader.bits(8), reader.bits(8), reader.bits(8)] : [2, 2, 2];
  const isSrgb = !isGrey && described.join() === "1,13,0";
  const isFullRange = isSrgb || reader.flag();
  return [depth, { matrix: specified(described[2]), isFullRange }];
}
