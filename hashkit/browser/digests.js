// MD5, SHA-1, SHA-256 and SHA-512 of a file exactly as it is, in one pass and constant memory.
//
// The browser's own crypto.subtle wants the whole file at once, and has no MD5. Definitions:
// RFC 1321, FIPS 180-4. The inner loops are written out as far as their registers rotate, so that
// no value is moved.

const DIGEST_PIECE = 2 << 20; // bytes read at a time: an abort waits for one of them

/** The first `count` primes. @param {number} count @returns {number[]} */
function firstPrimes(count) {
  const primes = [2];
  for (let n = 3; primes.length < count; n += 2) {
    if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  }
  return primes;
}

/**
 * The first 64 bits after the point of the square (2) or cube (3) root of each prime, as pairs of
 * 32-bit words: the constants of SHA-512, whose high words are those of SHA-256.
 * @param {number[]} primes @param {2 | 3} degree @returns {Int32Array}
 */
function rootWords(primes, degree) {
  const words = new Int32Array(2 * primes.length);
  primes.forEach((prime, index) => {
    const wanted = BigInt(prime) << BigInt(64 * degree);
    let root = 0n;
    for (let bit = 1n << 69n; bit; bit >>= 1n) {
      if ((root | bit) ** BigInt(degree) <= wanted) root |= bit;
    }
    words[2 * index] = Number(BigInt.asIntN(32, root >> 32n));
    words[2 * index + 1] = Number(BigInt.asIntN(32, root));
  });
  return words;
}

const SHA512_K = rootWords(firstPrimes(80), 3);
const SHA512_START = rootWords(firstPrimes(8), 2);
const SHA256_K = SHA512_K.filter((_, index) => index % 2 === 0).slice(0, 64);
const SHA256_START = SHA512_START.filter((_, index) => index % 2 === 0);
const SHA1_START = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
const MD5_START = SHA1_START.slice(0, 4);
const MD5_K = Int32Array.from({ length: 64 }, (_, i) => Math.abs(Math.sin(i + 1)) * 2 ** 32);

const digestWords = new Int32Array(160); // the words of one block; no call is interrupted

/** @param {Int32Array} state @param {DataView} view @param {number} place @param {number} end */
function md5Blocks(state, view, place, end) {
  const w = digestWords;
  const k = MD5_K;
  for (; place < end; place += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(place + 4 * i, true);
    let a = state[0], b = state[1], c = state[2], d = state[3], t = 0;
    for (let i = 0; i < 16; i += 4) {
      t = (a + (d ^ (b & (c ^ d))) + k[i] + w[i]) | 0;
      a = (b + ((t << 7) | (t >>> 25))) | 0;
      t = (d + (c ^ (a & (b ^ c))) + k[i + 1] + w[i + 1]) | 0;
      d = (a + ((t << 12) | (t >>> 20))) | 0;
      t = (c + (b ^ (d & (a ^ b))) + k[i + 2] + w[i + 2]) | 0;
      c = (d + ((t << 17) | (t >>> 15))) | 0;
      t = (b + (a ^ (c & (d ^ a))) + k[i + 3] + w[i + 3]) | 0;
      b = (c + ((t << 22) | (t >>> 10))) | 0;
    }
    for (let i = 16; i < 32; i += 4) {
      t = (a + (c ^ (d & (b ^ c))) + k[i] + w[(5 * i + 1) & 15]) | 0;
      a = (b + ((t << 5) | (t >>> 27))) | 0;
      t = (d + (b ^ (c & (a ^ b))) + k[i + 1] + w[(5 * i + 6) & 15]) | 0;
      d = (a + ((t << 9) | (t >>> 23))) | 0;
      t = (c + (a ^ (b & (d ^ a))) + k[i + 2] + w[(5 * i + 11) & 15]) | 0;
      c = (d + ((t << 14) | (t >>> 18))) | 0;
      t = (b + (d ^ (a & (c ^ d))) + k[i + 3] + w[(5 * i) & 15]) | 0;
      b = (c + ((t << 20) | (t >>> 12))) | 0;
    }
    for (let i = 32; i < 48; i += 4) {
      t = (a + (b ^ c ^ d) + k[i] + w[(3 * i + 5) & 15]) | 0;
      a = (b + ((t << 4) | (t >>> 28))) | 0;
      t = (d + (a ^ b ^ c) + k[i + 1] + w[(3 * i + 8) & 15]) | 0;
      d = (a + ((t << 11) | (t >>> 21))) | 0;
      t = (c + (d ^ a ^ b) + k[i + 2] + w[(3 * i + 11) & 15]) | 0;
      c = (d + ((t << 16) | (t >>> 16))) | 0;
      t = (b + (c ^ d ^ a) + k[i + 3] + w[(3 * i + 14) & 15]) | 0;
      b = (c + ((t << 23) | (t >>> 9))) | 0;
    }
    for (let i = 48; i < 64; i += 4) {
      t = (a + (c ^ (b | ~d)) + k[i] + w[(7 * i) & 15]) | 0;
      a = (b + ((t << 6) | (t >>> 26))) | 0;
      t = (d + (b ^ (a | ~c)) + k[i + 1] + w[(7 * i + 7) & 15]) | 0;
      d = (a + ((t << 10) | (t >>> 22))) | 0;
      t = (c + (a ^ (d | ~b)) + k[i + 2] + w[(7 * i + 14) & 15]) | 0;
      c = (d + ((t << 15) | (t >>> 17))) | 0;
      t = (b + (d ^ (c | ~a)) + k[i + 3] + w[(7 * i + 5) & 15]) | 0;
      b = (c + ((t << 21) | (t >>> 11))) | 0;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
  }
}

/** @param {Int32Array} state @param {DataView} view @param {number} place @param {number} end */
function sha1Blocks(state, view, place, end) {
  const w = digestWords;
  for (; place < end; place += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(place + 4 * i);
    for (let i = 16; i < 80; i++) {
      const t = w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16];
      w[i] = (t << 1) | (t >>> 31);
    }
    let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (let i = 0; i < 80; i += 5) {
      e = (e + ((a << 5) | (a >>> 27)) + sha1Mixed(i, b, c, d) + w[i]) | 0;
      b = (b << 30) | (b >>> 2);
      d = (d + ((e << 5) | (e >>> 27)) + sha1Mixed(i, a, b, c) + w[i + 1]) | 0;
      a = (a << 30) | (a >>> 2);
      c = (c + ((d << 5) | (d >>> 27)) + sha1Mixed(i, e, a, b) + w[i + 2]) | 0;
      e = (e << 30) | (e >>> 2);
      b = (b + ((c << 5) | (c >>> 27)) + sha1Mixed(i, d, e, a) + w[i + 3]) | 0;
      d = (d << 30) | (d >>> 2);
      a = (a + ((b << 5) | (b >>> 27)) + sha1Mixed(i, c, d, e) + w[i + 4]) | 0;
      c = (c << 30) | (c >>> 2);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
  }
}

/** @param {number} i @param {number} x @param {number} y @param {number} z @returns {number} */
function sha1Mixed(i, x, y, z) {
  if (i < 20) return (0x5a827999 + (z ^ (x & (y ^ z)))) | 0;
  if (i < 40) return (0x6ed9eba1 + (x ^ y ^ z)) | 0;
  if (i < 60) return (0x8f1bbcdc + ((x & y) | (z & (x | y)))) | 0;
  return (0xca62c1d6 + (x ^ y ^ z)) | 0;
}

/** @param {Int32Array} state @param {DataView} view @param {number} place @param {number} end */
function sha256Blocks(state, view, place, end) {
  const w = digestWords;
  const k = SHA256_K;
  for (; place < end; place += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(place + 4 * i);
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15];
      const y = w[i - 2];
      w[i] =
        w[i - 16] + w[i - 7] +
        (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) +
        (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10));
    }
    let a = state[0], b = state[1], c = state[2], d = state[3], t = 0;
    let e = state[4], f = state[5], g = state[6], h = state[7];
    for (let i = 0; i < 64; i += 4) {
      t = (h + sha256Sum1(e) + (g ^ (e & (f ^ g))) + k[i] + w[i]) | 0;
      d = (d + t) | 0;
      h = (t + sha256Sum0(a) + ((a & b) | (c & (a | b)))) | 0;
      t = (g + sha256Sum1(d) + (f ^ (d & (e ^ f))) + k[i + 1] + w[i + 1]) | 0;
      c = (c + t) | 0;
      g = (t + sha256Sum0(h) + ((h & a) | (b & (h | a)))) | 0;
      t = (f + sha256Sum1(c) + (e ^ (c & (d ^ e))) + k[i + 2] + w[i + 2]) | 0;
      b = (b + t) | 0;
      f = (t + sha256Sum0(g) + ((g & h) | (a & (g | h)))) | 0;
      t = (e + sha256Sum1(b) + (d ^ (b & (c ^ d))) + k[i + 3] + w[i + 3]) | 0;
      a = (a + t) | 0;
      e = (t + sha256Sum0(f) + ((f & g) | (h & (f | g)))) | 0;
      t = a; a = e; e = t; t = b; b = f; f = t; t = c; c = g; g = t; t = d; d = h; h = t;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
  }
}

/** @param {number} x @returns {number} */
function sha256Sum0(x) {
  return ((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10));
}

/** @param {number} x @returns {number} */
function sha256Sum1(x) {
  return ((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7));
}

/**
 * Numbers of 64 bits are pairs of words, high and low. The low words are added as doubles, which
 * hold the carry.
 * @param {Int32Array} state @param {DataView} view @param {number} place @param {number} end
 */
function sha512Blocks(state, view, place, end) {
  const w = digestWords;
  const k = SHA512_K;
  for (; place < end; place += 128) {
    for (let i = 0; i < 32; i++) w[i] = view.getInt32(place + 4 * i);
    for (let i = 32; i < 160; i += 2) sha512Extend(w, i);
    let ah = state[0], al = state[1], bh = state[2], bl = state[3];
    let ch = state[4], cl = state[5], dh = state[6], dl = state[7];
    let eh = state[8], el = state[9], fh = state[10], fl = state[11];
    let gh = state[12], gl = state[13], hh = state[14], hl = state[15];
    for (let i = 0; i < 160; i += 2) {
      const sum1h = sha512Sum1(eh, el);
      const sum1l = sha512Sum1(el, eh);
      const choiceh = gh ^ (eh & (fh ^ gh));
      const choicel = gl ^ (el & (fl ^ gl));
      let low = (hl >>> 0) + (sum1l >>> 0) + (choicel >>> 0) + (k[i + 1] >>> 0) + (w[i + 1] >>> 0);
      const th = (hh + sum1h + choiceh + k[i] + w[i] + ((low / 2 ** 32) | 0)) | 0;
      const tl = low | 0;
      const sum0h = sha512Sum0(ah, al);
      const sum0l = sha512Sum0(al, ah);
      const majorityh = (ah & bh) | (ch & (ah | bh));
      const majorityl = (al & bl) | (cl & (al | bl));
      hh = gh; hl = gl; gh = fh; gl = fl; fh = eh; fl = el;
      low = (dl >>> 0) + (tl >>> 0);
      eh = (dh + th + ((low / 2 ** 32) | 0)) | 0;
      el = low | 0;
      dh = ch; dl = cl; ch = bh; cl = bl; bh = ah; bl = al;
      low = (tl >>> 0) + (sum0l >>> 0) + (majorityl >>> 0);
      ah = (th + sum0h + majorityh + ((low / 2 ** 32) | 0)) | 0;
      al = low | 0;
    }
    const sums = [ah, al, bh, bl, ch, cl, dh, dl, eh, el, fh, fl, gh, gl, hh, hl];
    for (let i = 0; i < 16; i += 2) {
      const low = (state[i + 1] >>> 0) + (sums[i + 1] >>> 0);
      state[i] += sums[i] + ((low / 2 ** 32) | 0);
      state[i + 1] = low;
    }
  }
}

/** @param {number} x @param {number} y @returns {number} one word of the sum, the other in y */
function sha512Sum0(x, y) {
  return ((x >>> 28) | (y << 4)) ^ ((y >>> 2) | (x << 30)) ^ ((y >>> 7) | (x << 25));
}

/** @param {number} x @param {number} y @returns {number} one word of the sum, the other in y */
function sha512Sum1(x, y) {
  return ((x >>> 14) | (y << 18)) ^ ((x >>> 18) | (y << 14)) ^ ((y >>> 9) | (x << 23));
}

/** @param {Int32Array} w @param {number} i */
function sha512Extend(w, i) {
  const xh = w[i - 30], xl = w[i - 29], yh = w[i - 4], yl = w[i - 3];
  const low =
    (w[i - 31] >>> 0) + (w[i - 13] >>> 0) +
    ((((xl >>> 1) | (xh << 31)) ^ ((xl >>> 8) | (xh << 24)) ^ ((xl >>> 7) | (xh << 25))) >>> 0) +
    ((((yl >>> 19) | (yh << 13)) ^ ((yh >>> 29) | (yl << 3)) ^ ((yl >>> 6) | (yh << 26))) >>> 0);
  w[i] =
    w[i - 32] + w[i - 14] + ((low / 2 ** 32) | 0) +
    (((xh >>> 1) | (xl << 31)) ^ ((xh >>> 8) | (xl << 24)) ^ (xh >>> 7)) +
    (((yh >>> 19) | (yl << 13)) ^ ((yl >>> 29) | (yh << 3)) ^ (yh >>> 6));
  w[i + 1] = low;
}

/** @typedef {(state: Int32Array, view: DataView, place: number, end: number) => void} Blocks */

/**
 * What each digest begins with, its function, the bytes of a block and of the length at the end,
 * and whether words begin with their last byte.
 * @type {{[name: string]: {start: Int32Array, blocks: Blocks, block: number, little?: boolean}}}
 */
const DIGESTS = {
  md5: { start: MD5_START, blocks: md5Blocks, block: 64, little: true },
  sha1: { start: SHA1_START, blocks: sha1Blocks, block: 64 },
  sha256: { start: SHA256_START, blocks: sha256Blocks, block: 64 },
  sha512: { start: SHA512_START, blocks: sha512Blocks, block: 128 },
};

/** A digest that is fed bytes: new Digest("md5").update(bytes).hex(). */
export class Digest {
  /** @param {string} name md5, sha1, sha256 or sha512; RangeError for any other */
  constructor(name) {
    if (!Object.hasOwn(DIGESTS, name)) throw new RangeError(`no digest is called ${name}`);
    this.kind = DIGESTS[name];
    this.state = this.kind.start.slice();
    this.rest = new Uint8Array(this.kind.block); // the bytes of a block that is not full yet
    this.length = 0; // bytes so far
  }

  /**
   * Feed the next bytes.
   * @param {Uint8Array} bytes @returns {this}
   */
  update(bytes) {
    const { blocks, block } = this.kind;
    const held = this.length % block;
    let place = 0;
    this.length += bytes.length;
    if (held > 0) {
      place = Math.min(block - held, bytes.length);
      this.rest.set(bytes.subarray(0, place), held);
      if (held + place < block) return this;
      blocks(this.state, new DataView(this.rest.buffer), 0, block);
    }
    const end = bytes.length - ((bytes.length - place) % block);
    blocks(this.state, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), place, end);
    this.rest.set(bytes.subarray(end));
    return this;
  }

  /** The digest of all bytes, in lowercase hex. It takes no more bytes then. @returns {string} */
  hex() {
    const { block, little } = this.kind;
    // One bit, zeros to the end of a block, and there the length in bits.
    const least = 1 + block / 8;
    const padding = new Uint8Array(least + block - 1 - ((this.length + least - 1) % block));
    const high = Math.floor(this.length / 2 ** 29);
    const low = (this.length % 2 ** 29) * 8;
    const lengths = new DataView(padding.buffer, padding.length - 8);
    lengths.setUint32(0, little ? low : high, little);
    lengths.setUint32(4, little ? high : low, little);
    padding[0] = 0x80;
    this.update(padding);
    const words = new DataView(new ArrayBuffer(4 * this.state.length));
    this.state.forEach((word, index) => words.setInt32(4 * index, word, little));
    return Array.from(new Uint8Array(words.buffer), hexOfByte).join("");
  }
}

/** @param {number} byte @returns {string} */
function hexOfByte(byte) {
  return byte.toString(16).padStart(2, "0");
}

/**
 * The digests of a file, read once, piece by piece.
 * @param {Blob} blob
 * @param {string[]} names of md5, sha1, sha256, sha512
 * @param {{onProgress?: (done: number, size: number) => void, signal?: AbortSignal}} [options]
 *   `onProgress` is told the bytes that are done, and all; `signal` ends it, with its reason
 * @returns {Promise<{[name: string]: string}>} lowercase hex by name, in the order of `names`
 */
export async function digestsOf(blob, names, { onProgress, signal } = {}) {
  const digests = names.map((name) => new Digest(name));
  for (let place = 0; place < blob.size; place += DIGEST_PIECE) {
    signal?.throwIfAborted();
    const end = Math.min(place + DIGEST_PIECE, blob.size);
    const bytes = new Uint8Array(await blob.slice(place, end).arrayBuffer());
    for (const digest of digests) digest.update(bytes);
    onProgress?.(end, blob.size);
  }
  signal?.throwIfAborted();
  return Object.fromEntries(names.map((name, index) => [name, digests[index].hex()]));
}
