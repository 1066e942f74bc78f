// Digests: the vectors of RFC 1321, NIST's examples for FIPS 180, and Python's hashlib.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";

import { Digest, digestsOf } from "../../../hashkit/browser/digests.js";

const NAMES = ["md5", "sha1", "sha256", "sha512"];
const encoded = (text) => new TextEncoder().encode(text);
const hexOf = (name, bytes) => new Digest(name).update(bytes).hex();
const openssl = (name, bytes) => createHash(name).update(bytes).digest("hex");

const RFC_1321 = {
  "": "d41d8cd98f00b204e9800998ecf8427e",
  a: "0cc175b9c0f1b6a831c399e269772661",
  abc: "900150983cd24fb0d6963f7d28e17f72",
  "message digest": "f96b697d7cb7938d525a2f31aaf161d0",
  abcdefghijklmnopqrstuvwxyz: "c3fcd3d76192e4007dfb496cca67e13b",
  ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:
    "d174ab98d277d9f5a5611c2c9f419d9f",
  [String(1234567890).repeat(8)]: "57edf4a22be3c955ac49da2e2107b67a",
};

const ONE_BLOCK = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
const LONGER =
  "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno" +
  "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
const MILLION = "a".repeat(1_000_000);
const FIPS_180 = [
  ["sha1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
  ["sha1", ONE_BLOCK, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"],
  ["sha1", LONGER, "a49b2446a02c645bf419f995b67091253a04a259"],
  ["sha1", MILLION, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"],
  ["sha256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["sha256", ONE_BLOCK, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"],
  ["sha256", LONGER, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"],
  ["sha256", MILLION, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"],
  [
    "sha512",
    "abc",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" +
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
  ],
  [
    "sha512",
    LONGER,
    "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018" +
      "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909",
  ],
  [
    "sha512",
    MILLION,
    "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb" +
      "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b",
  ],
];

// hashlib's, of so many zeros that the length in bits needs its second word, and all of the first.
const ZEROS = 2 ** 29 + 2 ** 28 + 3;
const OF_ZEROS = {
  md5: "46f677f57b68505f6567ac8a62dc5fd1",
  sha1: "6fdf5adb68fe62c3e9a5a0375bf27a7d097b21ce",
  sha256: "f1d59d44eaec0a076c1122884c8bab6ca85cd8c5b6d1db3922d8f21fa37d346b",
};

test("the vectors of RFC 1321", () => {
  for (const [text, value] of Object.entries(RFC_1321)) {
    assert.equal(hexOf("md5", encoded(text)), value);
  }
});

test("the examples of FIPS 180", () => {
  for (const [name, text, value] of FIPS_180) assert.equal(hexOf(name, encoded(text)), value);
});

test("every length around the borders of blocks", () => {
  const bytes = randomBytes(400);
  for (const name of NAMES) {
    for (let length = 0; length <= bytes.length; length++) {
      const some = bytes.subarray(0, length);
      assert.equal(hexOf(name, some), openssl(name, some), `${name} of ${length} bytes`);
    }
  }
});

test("bytes may come in any pieces, and from the middle of a buffer", () => {
  const bytes = randomBytes(5000);
  for (const name of NAMES) {
    const value = openssl(name, bytes);
    for (let most = 1; most < 300; most += 13) {
      const digest = new Digest(name);
      for (let place = 0; place < bytes.length; ) {
        const end = place + Math.floor(Math.random() * (most + 1));
        digest.update(bytes.subarray(place, end));
        place = end;
      }
      assert.equal(digest.hex(), value, `${name} in pieces of at most ${most}`);
    }
  }
});

test("lengths over 32 bits are counted", () => {
  const zeros = new Uint8Array(1 << 20);
  for (const [name, value] of Object.entries(OF_ZEROS)) {
    const digest = new Digest(name);
    for (let left = ZEROS; left > 0; left -= zeros.length) digest.update(zeros.subarray(0, left));
    assert.equal(digest.hex(), value);
  }
});

test("no other name is a digest", () => {
  for (const name of ["sha224", "MD5", "toString", ""]) {
    assert.throws(() => new Digest(name), RangeError);
  }
});

test("a file is read in pieces, and says how far it is", async () => {
  const bytes = randomBytes((5 << 20) + 17);
  const told = [];
  const found = await digestsOf(new Blob([bytes]), ["sha256", "md5"], {
    onProgress: (done, size) => told.push([done, size]),
  });
  assert.deepEqual(Object.entries(found), [
    ["sha256", openssl("sha256", bytes)],
    ["md5", openssl("md5", bytes)],
  ]);
  assert.deepEqual(told, [2 << 20, 4 << 20, bytes.length].map((done) => [done, bytes.length]));
});

test("an empty file has digests", async () => {
  assert.deepEqual(await digestsOf(new Blob([]), ["md5"]), { md5: RFC_1321[""] });
});

test("no more than one piece is asked for at a time", async () => {
  const asked = [];
  const bytes = new Uint8Array(5 << 20);
  const blob = {
    size: bytes.length,
    slice(start, end) {
      asked.push(end - start);
      return new Blob([bytes.subarray(start, end)]);
    },
  };
  await digestsOf(blob, ["md5"]);
  assert.deepEqual(asked, [2 << 20, 2 << 20, 1 << 20]);
});

test("a signal ends it before the next piece", async () => {
  const controller = new AbortController();
  const told = [];
  const onProgress = (done) => {
    told.push(done);
    controller.abort(new Error("enough"));
  };
  const blob = new Blob([new Uint8Array(5 << 20)]);
  await assert.rejects(
    digestsOf(blob, ["md5"], { onProgress, signal: controller.signal }),
    /enough/,
  );
  assert.deepEqual(told, [2 << 20]);
  await assert.rejects(digestsOf(new Blob([]), ["md5"], { signal: controller.signal }), /enough/);
});

test("no constant of MD5 depends on the last bits of a browser's sine", () => {
  for (let i = 1; i <= 64; i++) {
    const fraction = (Math.abs(Math.sin(i)) * 2 ** 32) % 1;
    assert.ok(Math.min(fraction, 1 - fraction) > 2 ** -12, `${i}`); // a double is good to 2^-21
  }
});
