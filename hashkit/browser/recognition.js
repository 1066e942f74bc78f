// What a file is, from its first bytes, never from its name (hashkit/media/formats.py). Videos
// that Python recognises by decoding them (bare streams, DV, those with junk in front) are NotMedia
// here.

import { ascii, find, uint } from "./bytes.js";
import { FACTS } from "./data.js";
import { HashkitError, unsupported } from "./errors.js";

/** @typedef {import("./data.js").Format} Format */

const { brands: BRANDS } = FACTS;
const EXACT_BRANDS = BRANDS.heif.filter((each) => !BRANDS.generic.includes(each));
const OTHERS_PATTERN = beginning(FACTS.others);
const NOT_TEXT = new Set([...FACTS.notText].map((each) => each.charCodeAt(0)));

/** @type {Record<string, RegExp>} */
const PATTERNS = {};
for (const { name, signature } of FACTS.formats) {
  if (signature !== undefined) {
    PATTERNS[name] = beginning(signature);
  }
}

/**
 * The signatures that are no regular expressions, by the names of their formats.
 * @type {Record<string, (head: Uint8Array) => boolean>}
 */
export const SIGNATURES = {
  cr3: (head) => brandsOf(head)[0] === "crx ",
  avci: (head) => isHeifCodedAs(head, BRANDS.coded.avci),
  "heif-jpeg": (head) => isHeifCodedAs(head, BRANDS.coded["heif-jpeg"]),
  "heif-rare": (head) => isHeifCodedAs(head, BRANDS.coded["heif-rare"]),
  bmp: (head) =>
    ascii(head, 0, 2) === "BM" && FACTS.bitmapHeaders.includes(uint(head, 14, 4, true)),
  ico: isIcon,
  heif: (head) => imageBrand(head) === "heif",
  avif: (head) => imageBrand(head) === "avif",
  mov: isOldQuicktime,
  mp4: (head) => brandsOf(head).length > 0 && !BRANDS.audio.includes(brandsOf(head)[0]),
  mpegts: (head) => repeatsSync(head, 0, 188) || repeatsSync(head, 4, 192),
  ogg: (head) => ascii(head, 0, 4) === "OggS" && find(head, "theora", 0, 512) !== -1,
};

/**
 * Say what a file is.
 *
 * @param {Uint8Array} head its first `FACTS.limits.headBytes` bytes
 * @returns {{kind: "image" | "video", format: string}} raises NotMedia where it is neither picture
 *   nor video (IsAnArchive where it may hold some), UnsupportedMedia where it is a picture that is
 *   known by name only
 */
export function identify(head) {
  const text = ascii(head);
  const fits = (/** @type {Format} */ { name }) =>
    PATTERNS[name]?.test(text) ?? SIGNATURES[name](head);
  const found = FACTS.formats.find(fits);
  if (found === undefined) {
    throw new HashkitError(isArchive(head, text) ? "is_an_archive" : "not_media");
  }
  if (!found.opened) {
    throw unsupported(found.shown);
  }
  return { kind: found.kind, format: found.name };
}

/**
 * @param {string} name
 * @returns {Format}
 */
export function formatNamed(name) {
  const found = FACTS.formats.find((each) => each.name === name);
  if (found === undefined) {
    throw new TypeError(`There is no format ${name}.`);
  }
  return found;
}

/**
 * Whether these first bytes are of a text, an archive, a program or another known kind of file.
 * @param {Uint8Array} head
 */
export function isPlainlyOther(head) {
  return OTHERS_PATTERN.test(ascii(head)) || !head.some((each) => NOT_TEXT.has(each));
}

/** @param {string} pattern */
function beginning(pattern) {
  return new RegExp(`^(?:${pattern})`, "s");
}

/**
 * The brands of an ISO base media file (MP4, MOV, 3GP, HEIF, AVIF), the main one first.
 * @param {Uint8Array} head
 */
function brandsOf(head) {
  if (ascii(head, 4, 4) !== "ftyp") {
    return [];
  }
  const length = Math.min(Math.max(uint(head, 0, 4), 16), head.length);
  const found = [ascii(head, 8, 4)];
  for (let i = 16; i < length - 3; i += 4) {
    found.push(ascii(head, i, 4));
  }
  return found;
}

/**
 * The first brand that says "picture" decides; a HEIF file may list AVIF's too, and the generic
 * mif1 says nothing about the codec.
 * @param {Uint8Array} head
 */
function imageBrand(head) {
  const names = brandsOf(head);
  const isGeneric = names[0] === "mif1" || names[0] === "msf1";
  return ["avif", "heif"].find((kind) => {
    const known = kind === "avif" ? BRANDS.avif : BRANDS.heif;
    return known.includes(names[0]) || (isGeneric && names.some((each) => known.includes(each)));
  });
}

/**
 * HEIF whose pictures are coded in a way that is not decoded here, by the main brand, or by others
 * where that is generic and none of ours is among them.
 * @param {Uint8Array} head
 * @param {string[]} coded
 */
function isHeifCodedAs(head, coded) {
  const names = brandsOf(head);
  if (!BRANDS.generic.includes(names[0])) {
    return coded.includes(names[0]);
  }
  const isOurs = names.some((each) => EXACT_BRANDS.includes(each) || BRANDS.avif.includes(each));
  return !isOurs && names.some((each) => coded.includes(each));
}

/**
 * Four bytes that many files begin with, and a directory that makes sense.
 * @param {Uint8Array} head
 */
function isIcon(head) {
  const count = uint(head, 4, 2, true);
  if (ascii(head, 0, 4) !== "\0\0\x01\0" || count < 1 || count > 256) {
    return false;
  }
  const isWhole = head.length >= 22 && head[9] === 0;
  return isWhole && uint(head, 14, 4, true) > 0 && uint(head, 18, 4, true) >= 6 + 16 * count;
}

/**
 * QuickTime from before there were brands. What may stand before its boxes are also words.
 * @param {Uint8Array} head
 */
function isOldQuicktime(head) {
  const name = ascii(head, 4, 4);
  return FACTS.oldQuicktime.includes(name) || (FACTS.padding.includes(name) && head[0] === 0);
}

/**
 * MPEG transport streams repeat a byte every packet.
 * @param {Uint8Array} head
 * @param {number} first
 * @param {number} length of a packet
 */
function repeatsSync(head, first, length) {
  return [0, 1, 2, 3, 4].every((each) => head[first + each * length] === 0x47);
}

/**
 * Documents, programs and books are archives, too, but nobody looks for pictures in them.
 * @param {Uint8Array} head
 * @param {string} text the same
 */
function isArchive(head, text) {
  if (text.startsWith("PK\x03\x04")) {
    const first = text.slice(30, 30 + uint(head, 26, 2, true));
    return !FACTS.documents.some((each) => first.startsWith(each));
  }
  return FACTS.archives.some((each) => text.startsWith(each)) || text.slice(257, 262) === "ustar";
}

/**
 * Where in this picture file an MP4 or MOV begins (a motion photo): the first box of one, behind
 * the file's own beginning.
 * @param {Uint8Array} bytes
 * @returns {number} -1 where there is none
 */
export function findVideo(bytes) {
  for (let at = find(bytes, "ftyp", 32); at !== -1; at = find(bytes, "ftyp", at + 4)) {
    const size = uint(bytes, at - 4, 4);
    if (size >= 16 && size <= 256 && BRANDS.embedded.includes(ascii(bytes, at + 4, 4))) {
      return at - 4;
    }
  }
  return -1;
}

const FRAMES_OF_MOTION_JPEG = 3;

/**
 * Whether a file that begins as a JPEG is a stream of them: several of one size, each directly
 * behind the other, and no list of pictures (MPF), which cameras write into one of several.
 * @param {Uint8Array} bytes
 */
export function isMotionJpeg(bytes) {
  if (find(bytes, "\xff\xd9\xff\xd8") === -1) {
    return false;
  }
  const sizes = new Set();
  let place = 0;
  for (let frame = 0; frame < FRAMES_OF_MOTION_JPEG; frame += 1) {
    const found = walkJpeg(bytes, place);
    if (found === null) {
      return false;
    }
    sizes.add(found.size);
    place = found.end;
  }
  return sizes.size === 1 && find(bytes, "MPF\0", 0, place) === -1;
}

/**
 * Where the JPEG that begins at `place` ends, and its size as it is written; null if there is no
 * whole one.
 * @param {Uint8Array} bytes
 * @param {number} place
 */
function walkJpeg(bytes, place) {
  if (ascii(bytes, place, 2) !== "\xff\xd8") {
    return null;
  }
  let size = "";
  place += 2;
  while (ascii(bytes, place, 2) !== "\xff\xd9") {
    const [marker, length] = [bytes[place + 1], uint(bytes, place + 2, 2)];
    if (bytes[place] !== 0xff || length < 2) {
      return null;
    }
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      size = ascii(bytes, place + 5, 4);
    }
    place += 2 + length;
    if (marker === 0xda) {
      place = nextMarker(bytes, place);
      if (place === -1) {
        return null;
      }
    }
  }
  return { end: place + 2, size };
}

/**
 * Where the next marker of a JPEG is that is not one within a scan.
 * @param {Uint8Array} bytes
 * @param {number} place
 */
function nextMarker(bytes, place) {
  for (let at = bytes.indexOf(0xff, place); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    const marker = bytes[at + 1] ?? 0;
    if (marker !== 0 && marker !== 0xff && (marker < 0xd0 || marker > 0xd7)) {
      return at;
    }
  }
  return -1;
}
