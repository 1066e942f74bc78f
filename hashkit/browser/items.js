// AVIF and HEIC: what the boxes say of the picture in them (ISO/IEC 14496-12, ISO/IEC 23008-12).

import { boxAt, boxesIn } from "./boxes.js";
import { ascii, uint } from "./bytes.js";

/** @typedef {import("./boxes.js").Box} Box */
/** @typedef {[number, number, number, number]} Area left, top, width, height */

const MAX_LINKS = 65536;
const ALPHA = "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha";
const MAX_NAME = 64;
/** @type {Box} */
const NO_BOX = { name: "", start: 0, end: 0 };
const PICTURE_ITEMS = [
  "hvc1", "av01", "avc1", "grid", "iden", "iovl", "jpeg", "j2k1", "unci", "vvc1",
];
/** EXIF's number for each turn against the clock; then for that mirrored, axis 0 and axis 1. */
const BY_TURNS = [[1, 8, 3, 6], [4, 5, 2, 7], [2, 7, 4, 5]];

/**
 * What the file says of its pictures: a box of boxes.
 * @param {Uint8Array} bytes
 * @returns {Box}
 */
function metaOf(bytes) {
  const meta = boxAt(bytes, { name: "", start: 0, end: bytes.length }, "meta");
  return meta ? { ...meta, start: meta.start + 4 } : NO_BOX;
}

/**
 * @param {Uint8Array} bytes
 * @param {Box} within
 * @param {string[]} names
 */
function boxOrNone(bytes, within, ...names) {
  return boxAt(bytes, within, ...names) ?? NO_BOX;
}

/**
 * The properties of the main picture. Where it is put together of tiles, theirs say how colours are
 * coded.
 * @param {Uint8Array} bytes
 * @returns {Map<string, Box>} by name
 */
function mainProperties(bytes) {
  const { links, known } = linkedProperties(bytes);
  const found = new Map(known.filter((each) => each.name === "av1C").map((each) => ["av1C", each]));
  for (const { box } of links) {
    found.set(box.name, box);
  }
  return found;
}

/**
 * Where the main picture is given a property of one of these names: the links, each of one or two
 * bytes.
 * @param {Uint8Array} bytes
 * @param {string[]} names
 */
export function propertyLinksTo(bytes, names) {
  return linkedProperties(bytes).links.filter(({ box }) => names.includes(box.name));
}

/**
 * All properties in the file, and which of them the main picture is given.
 * @param {Uint8Array} bytes
 */
function linkedProperties(bytes) {
  const meta = metaOf(bytes);
  const named = boxOrNone(bytes, meta, "pitm").start;
  const main = uint(bytes, named + 4, bytes[named] ? 4 : 2);
  const kinds = boxOrNone(bytes, meta, "iprp", "ipco");
  const known = [...boxesIn(bytes, kinds.start, kinds.end)];
  const links = [];
  const table = boxOrNone(bytes, meta, "iprp", "ipma");
  for (const { item, index, begin, end } of propertyLinks(bytes, table)) {
    if (item === main && index > 0 && index <= known.length) {
      links.push({ box: known[index - 1], begin, end });
    }
  }
  return { links, known };
}

/**
 * Each item with the number of each of its properties, from 1.
 * @param {Uint8Array} bytes
 * @param {Box} box
 * @returns {Generator<{item: number, index: number, begin: number, end: number}>}
 */
function* propertyLinks(bytes, { start: begin, end }) {
  const itemWidth = bytes[begin] ? 4 : 2;
  const width = 1 + (bytes[begin + 3] & 1);
  const count = Math.min(uint(bytes, begin + 4, 4), MAX_LINKS);
  let place = begin + 8;
  for (let entry = 0; entry < count; entry += 1) {
    const item = uint(bytes, place, itemWidth);
    place += itemWidth;
    if (place >= end) {
      return;
    }
    const properties = bytes[place];
    place += 1;
    for (let each = 0; each < properties; each += 1) {
      const index = uint(bytes, place, width) & (width === 2 ? 0x7fff : 0x7f);
      yield { item, index, begin: place, end: place + width };
      place += width;
    }
  }
}

/**
 * Width and height of the main picture as it is coded; zeros where that is not said.
 * @param {Uint8Array} bytes
 * @returns {[number, number]}
 */
export function itemSize(bytes) {
  const extents = mainProperties(bytes).get("ispe");
  return extents ? [uint(bytes, extents.start + 4, 4), uint(bytes, extents.start + 8, 4)] : [0, 0];
}

/**
 * Width and height of the main picture of a HEIC as it is shown: cut out and turned, which browsers
 * that open it do.
 * @param {Uint8Array} bytes
 * @returns {[number, number]}
 */
export function shownItemSize(bytes) {
  const properties = mainProperties(bytes);
  let [width, height] = itemSize(bytes);
  const [aperture, rotated] = [properties.get("clap"), properties.get("irot")];
  if (aperture !== undefined && aperture.end - aperture.start >= 32) {
    const numbers = [0, 4, 8, 12].map((at) => uint(bytes, aperture.start + at, 4));
    width = Math.min(width, Math.round(numbers[0] / Math.max(1, numbers[1])));
    height = Math.min(height, Math.round(numbers[2] / Math.max(1, numbers[3])));
  }
  return rotated !== undefined && bytes[rotated.start] & 1 ? [height, width] : [width, height];
}

/**
 * How the main picture is to be turned: first rotated, then mirrored.
 * @param {Uint8Array} bytes
 * @returns {number} 1 to 8, as EXIF counts
 */
export function transformOf(bytes) {
  const properties = mainProperties(bytes);
  const [rotated, mirrored] = [properties.get("irot"), properties.get("imir")];
  const axis = mirrored ? 1 + (bytes[mirrored.start] & 1) : 0;
  return BY_TURNS[axis][rotated ? bytes[rotated.start] & 3 : 0];
}

/**
 * The clean aperture: what is shown of the main picture of an AVIF, before it is turned. The whole
 * where it has none, or one that browsers ignore: not within the picture, or not on whole pixels,
 * of colour where that is coarser.
 * @param {Uint8Array} bytes
 * @param {number} width
 * @param {number} height
 * @returns {Area}
 */
export function cleanAperture(bytes, width, height) {
  const properties = mainProperties(bytes);
  const box = properties.get("clap");
  if (box === undefined || box.end - box.start < 32) {
    return [0, 0, width, height];
  }
  const numbers = Array.from({ length: 8 }, (_, i) => uint(bytes, box.start + 4 * i, 4) | 0);
  const coding = properties.get("av1C");
  const flags = coding && coding.end - coding.start > 2 ? bytes[coding.start + 2] : 0;
  const [stepAcross, stepDown] = flags & 0x10 ? [1, 1] : [flags & 8 ? 2 : 1, flags & 4 ? 2 : 1];
  const columns = apertureSide(width, numbers.slice(0, 2), numbers.slice(4, 6), stepAcross);
  const rows = apertureSide(height, numbers.slice(2, 4), numbers.slice(6, 8), stepDown);
  return columns && rows ? [columns[0], rows[0], columns[1], rows[1]] : [0, 0, width, height];
}

/**
 * @param {number} whole
 * @param {number[]} part how much is shown: numerator and denominator
 * @param {number[]} offset of the part's centre from the centre of the whole, likewise
 * @param {number} step how many pixels share a colour
 * @returns {[number, number] | null} where it starts, and how long it is
 */
function apertureSide(whole, part, offset, step) {
  const length = part[0] / part[1];
  if (part[1] <= 0 || offset[1] <= 0 || !Number.isInteger(length) || length < 1) {
    return null;
  }
  // Whole numbers, which may be larger than doubles hold: start = top / (2 * offset[1]).
  const below = 2n * BigInt(offset[1]);
  const top = BigInt(whole - length) * BigInt(offset[1]) + 2n * BigInt(offset[0]);
  if (top < 0n || top % (below * BigInt(step)) !== 0n) {
    return null;
  }
  const start = Number(top / below);
  return start + length <= whole ? [start, length] : null;
}

/**
 * How many pictures a HEIC holds that are shown: not hidden, no small preview, no transparency,
 * depth or brightness of another.
 * @param {Uint8Array} bytes
 */
export function countShown(bytes) {
  const meta = metaOf(bytes);
  const list = boxOrNone(bytes, meta, "iinf");
  const entries = list.start + (bytes[list.start] ? 8 : 6);
  const shown = new Set();
  for (const { name, start } of boxesIn(bytes, entries, list.end)) {
    const width = bytes[start] === 3 ? 4 : 2;
    const isPicture = PICTURE_ITEMS.includes(ascii(bytes, start + 6 + width, 4));
    if (name === "infe" && isPicture && !(bytes[start + 3] & 1)) {
      shown.add(uint(bytes, start + 4, width));
    }
  }
  const links = boxOrNone(bytes, meta, "iref");
  for (const { name, start } of boxesIn(bytes, links.start + 4, links.end)) {
    if (name === "thmb" || name === "auxl") {
      shown.delete(uint(bytes, start, bytes[links.start] ? 4 : 2));
    }
  }
  return shown.size;
}

/**
 * The names of pictures in an AVIF that are the transparency of others.
 * @param {Uint8Array} bytes
 * @returns {Box[]} where they are written
 */
export function alphaNames(bytes) {
  return linkedProperties(bytes).known
    .filter((box) => box.name === "auxC" && ascii(bytes, box.start + 4, MAX_NAME).startsWith(ALPHA))
    .map((box) => ({ ...box, start: box.start + 4 }));
}
