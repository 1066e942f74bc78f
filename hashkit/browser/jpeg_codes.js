// Follows the Huffman codes of a JPEG's scans without making pixels of them (ITU-T T.81, F.2 and
// G.2), to see whether they last to the end of the picture. Python's decoder says so; browsers fill
// the rest with what is there, without a word.

import { FACTS } from "./data.js";
import { JpegBits, NO_FAULT, OUT_OF_FILE, isStray, lookupOf } from "./jpeg_bits.js";
import { UNSOUND_TABLE, UNUSED_TABLE } from "./jpeg_bits.js";

/** @typedef {import("./completeness.js").Finding} Finding */
/** @typedef {import("./completeness_jpeg.js").JpegFrame} JpegFrame */
/**
 * A component of a picture. `blocks`: how many it has in a scan of its own. Of a progressive one,
 * `toCome` is how many low bits of each coefficient are not coded yet (-1: all), and `known` has a
 * bit for each coefficient that is not zero.
 * @typedef {{across: number, down: number, blocks: number, toCome: Int8Array,
 *   known: Uint32Array}} Component
 */
/**
 * A component in a scan, with as many blocks as a unit of the scan has of it.
 * @typedef {{component: Component, blocks: number, dc: Uint16Array, ac: Uint16Array}} ScanPart
 */

const PROGRESSIVE = 0xc2;
const MAX_COMPONENTS = 4; // of CMYK

/** The codes of one picture, scan by scan. */
export class JpegCodes {
  /**
   * @param {Uint8Array} bytes
   * @param {JpegFrame} frame as its headers have it so far
   */
  constructor(bytes, frame) {
    this.bytes = bytes;
    this.frame = frame;
    /** @type {Map<number, Component> | null} */
    this.components = null;
  }

  /**
   * Whether the codes of a scan last to its end. Nothing is said of pictures that are not coded by
   * Huffman codes, or without their tables.
   * @param {{begin: number, stop: number}} scan where its header is; the codes follow
   * @returns {Finding}
   */
  lookAt({ begin, stop }) {
    const { frame } = this;
    const isTooMuch = frame.width * frame.height > FACTS.limits.maxPixels;
    const header = this.bytes.subarray(begin, stop);
    if (!frame.marker || isTooMuch || Math.max(frame.sampling.size, header[0]) > MAX_COMPONENTS) {
      return "nothing"; // nobody will show it
    }
    this.components ??= componentsOf(frame);
    const isProgressive = frame.marker === PROGRESSIVE;
    const [first, last, steps] = header.subarray(1 + 2 * header[0]);
    const parts = this.partsOf(header, first === 0 && steps >> 4 === 0, last > 0);
    const isWhole = first === 0 && last === 63 && steps === 0;
    const fits = isProgressive ? followsOn(parts, first, last, steps) : isWhole;
    if (!fits || parts.length !== header[0] || parts.length === 0) {
      return "missing";
    }
    if (parts.some(({ dc, ac }) => dc === UNSOUND_TABLE || ac === UNSOUND_TABLE)) {
      return frame.tables.size ? "missing" : "nothing"; // those of the standard may be left out
    }
    const scan = new ScanCodes(new JpegBits(this.bytes, stop), first, last);
    const block = isProgressive ? progressiveBlock(first > 0, steps >> 4 > 0) : wholeBlock;
    return scan.follow(frame, parts, block);
  }

  /**
   * @param {Uint8Array} header of a scan
   * @param {boolean} usesDc whether it uses the tables of DC coefficients
   * @param {boolean} usesAc
   * @returns {ScanPart[]} fewer than there should be where a component is not there
   */
  partsOf(header, usesDc, usesAc) {
    const { tables } = this.frame;
    const parts = [];
    for (let at = 1; at < 1 + 2 * header[0]; at += 2) {
      const component = this.components?.get(header[at]);
      if (component) {
        const blocks = header[0] > 1 ? component.across * component.down : 1;
        const dc = usesDc ? lookupOf(tables.get(header[at + 1] >> 4)) : UNUSED_TABLE;
        const ac = usesAc ? lookupOf(tables.get(0x10 | (header[at + 1] & 15))) : UNUSED_TABLE;
        parts.push({ component, blocks, dc, ac });
      }
    }
    return parts;
  }
}

/**
 * @param {JpegFrame} frame
 * @returns {Map<number, Component>}
 */
function componentsOf({ width, height, sampling }) {
  const most = mostSampling(sampling.values());
  const components = new Map();
  for (const [name, { across, down }] of sampling) {
    const columns = Math.ceil((width * across) / (8 * most.across));
    const blocks = columns * Math.ceil((height * down) / (8 * most.down));
    const toCome = new Int8Array(64).fill(-1);
    components.set(name, { across, down, blocks, toCome, known: new Uint32Array(0) });
  }
  return components;
}

/** @param {Iterable<{across: number, down: number}>} components */
function mostSampling(components) {
  const all = [...components];
  return {
    across: Math.max(...all.map((each) => each.across)),
    down: Math.max(...all.map((each) => each.down)),
  };
}

/**
 * Whether a progressive scan has what may come after those before it (G.1.1.1.1).
 * @param {ScanPart[]} parts
 * @param {number} first
 * @param {number} last
 * @param {number} steps
 */
function followsOn(parts, first, last, steps) {
  const [before, after] = [steps >> 4, steps & 15];
  const isBand = first === 0 ? last === 0 : first <= last && last < 64 && parts.length === 1;
  if (!isBand || after > 13 || (before > 0 && before !== after + 1)) {
    return false;
  }
  return parts.every(({ component: { toCome } }) => {
    const isKnown = first === 0 || toCome[0] >= 0;
    const fits = toCome.subarray(first, last + 1).every((bits) => Math.max(bits, 0) === before);
    toCome.fill(after, first, last + 1);
    return isKnown && fits;
  });
}

/** The codes of one scan, of coefficients from `first` to `last`. */
class ScanCodes {
  /**
   * @param {JpegBits} bits
   * @param {number} first
   * @param {number} last
   */
  constructor(bits, first, last) {
    this.bits = bits;
    this.first = first;
    this.last = last;
    this.emptyBlocks = 0; // that follow without a code
  }

  /**
   * @param {JpegFrame} frame
   * @param {ScanPart[]} parts
   * @param {(scan: ScanCodes, part: ScanPart, unit: number) => void} readBlock
   * @returns {Finding}
   */
  follow(frame, parts, readBlock) {
    const { bits } = this;
    const most = mostSampling(frame.sampling.values());
    const columns = Math.ceil(frame.width / (8 * most.across));
    const all = columns * Math.ceil(frame.height / (8 * most.down));
    const units = parts.length > 1 ? all : parts[0].component.blocks;
    for (let unit = 0; unit < units; unit += 1) {
      if (frame.interval && unit && unit % frame.interval === 0) {
        bits.restart((unit / frame.interval - 1) % 8);
        this.emptyBlocks = 0;
      }
      for (const part of parts) {
        for (let block = 0; block < part.blocks; block += 1) {
          readBlock(this, part, unit);
        }
      }
      if (bits.fault !== NO_FAULT) {
        return bits.fault === OUT_OF_FILE ? "truncated" : "missing";
      }
    }
    return isStray(bits.bytes, bits.place, bits.count >= 8) ? "missing" : "nothing";
  }
}

/**
 * @param {ScanCodes} scan
 * @param {ScanPart} part
 */
function wholeBlock({ bits }, { dc, ac }) {
  bits.takeLong(bits.symbol(dc));
  for (let at = 1; at < 64; at += 1) {
    const found = bits.symbol(ac);
    if (found & 15) {
      at += found >> 4;
      bits.take(found & 15);
    } else if (found !== 0xf0) {
      return;
    } else {
      at += 15;
    }
  }
}

/**
 * The function that reads a block of a progressive scan: of its first bits, or of a further one.
 * @param {boolean} isOfAc
 * @param {boolean} isFurther
 */
function progressiveBlock(isOfAc, isFurther) {
  if (isOfAc) {
    return isFurther ? furtherBitsOfAc : firstBitsOfAc;
  }
  return isFurther ? furtherBitOfDc : firstBitsOfDc;
}

/**
 * @param {ScanCodes} scan
 * @param {ScanPart} part
 */
function firstBitsOfDc({ bits }, { dc }) {
  bits.takeLong(bits.symbol(dc));
}

/** @param {ScanCodes} scan */
function furtherBitOfDc({ bits }) {
  bits.take(1);
}

/**
 * @param {ScanCodes} scan
 * @param {ScanPart} part
 * @param {number} unit
 */
function firstBitsOfAc(scan, { ac, component }, unit) {
  const { bits, last } = scan;
  if (scan.emptyBlocks > 0) {
    scan.emptyBlocks -= 1;
    return;
  }
  for (let at = scan.first; at <= last; at += 1) {
    const found = bits.symbol(ac);
    const run = found >> 4;
    if (found & 15) {
      at += run;
      bits.take(found & 15);
      know(component, unit, at);
    } else if (run < 15) {
      scan.emptyBlocks = (1 << run) + bits.take(run) - 1;
      return;
    } else {
      at += 15;
    }
  }
}

/**
 * Coefficients that are known have a bit each, between the codes of those that become known.
 * @param {ScanCodes} scan
 * @param {ScanPart} part
 * @param {number} unit
 */
function furtherBitsOfAc(scan, { ac, component }, unit) {
  const { bits, last } = scan;
  let at = scan.first;
  while (scan.emptyBlocks === 0 && at <= last) {
    const found = bits.symbol(ac);
    let run = found >> 4;
    if (found & 15) {
      bits.takeSign(found & 15);
    } else if (run < 15) {
      scan.emptyBlocks = (1 << run) + bits.take(run);
      break;
    }
    for (; at <= last; at += 1) {
      if (isKnown(component, unit, at)) {
        bits.take(1);
      } else if (run === 0) {
        break;
      } else {
        run -= 1;
      }
    }
    if (found & 15) {
      know(component, unit, at);
    }
    at += 1;
  }
  if (scan.emptyBlocks > 0) {
    for (; at <= last; at += 1) {
      if (isKnown(component, unit, at)) {
        bits.take(1);
      }
    }
    scan.emptyBlocks -= 1;
  }
}

/**
 * @param {Component} component
 * @param {number} block
 * @param {number} at
 */
function know(component, block, at) {
  if (component.known.length === 0) {
    component.known = new Uint32Array(2 * component.blocks);
  }
  component.known[2 * block + (at >> 5)] |= 1 << (at & 31);
}

/**
 * @param {Component} component
 * @param {number} block
 * @param {number} at
 */
function isKnown({ known }, block, at) {
  return known.length > 0 && ((known[2 * block + (at >> 5)] >>> (at & 31)) & 1) === 1;
}
