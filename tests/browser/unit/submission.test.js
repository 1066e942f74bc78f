// What may be in a submission: hashes, and nothing else. That it is hashkit's own document, byte
// for byte, is tested from Python.
import assert from "node:assert/strict";
import { test } from "node:test";

import { submissionOf, submissionText } from "../../../hashkit/browser/submission.js";

const PDQ = { value: "0f".repeat(32), quality: 100 };
const FRAME = { frame: 7, timestamp: 1.5, ...PDQ };
const VPDQ = { interval: 1, frames: [FRAME] };
const MD5 = "0123456789abcdef".repeat(2);
const image = (hashes, variants) => ({ kind: "image", hashes, variants, notices: [] });

test("nothing is an empty submission", () => {
  const text = '{\n  "format": "hashkit-submission",\n  "version": 1,\n  "items": []\n}\n';
  assert.equal(submissionText([]), text);
});

test("only hashes are taken over", () => {
  const result = {
    path: "/home/somebody/photo.jpg",
    name: "photo.jpg",
    kind: "video",
    hashes: { md5: MD5, vpdq: { ...VPDQ, path: "a", frames: [{ ...FRAME, note: "b" }] } },
    variants: [{ name: "mirrored", vpdq: { ...VPDQ, who: "c" } }],
    notices: [{ code: "small", text: "d" }],
    error: { code: "media_corrupt", text: "e" },
  };
  const item = {
    kind: "video",
    hashes: { md5: MD5, vpdq: VPDQ },
    variants: [{ name: "mirrored", vpdq: VPDQ }],
  };
  assert.deepEqual(submissionOf([result]).items, [item]);
  assert.equal(result.hashes.vpdq.path, "a", "the result stays as it was");
});

test("without a kind or hashes there is no item", () => {
  const without = [{ error: { code: "not_media" } }, { hashes: { md5: MD5 } }, image({})];
  assert.deepEqual(submissionOf([...without, { kind: "image" }]).items, []);
});

test("the version says whether there are other readings of a file", () => {
  const versionOf = (name) => submissionOf([image({ pdq: PDQ }, [{ name, pdq: PDQ }])]).version;
  assert.equal(versionOf("mirrored"), 1);
  for (const name of ["as-stored", "alpha-dropped+as-stored", "by-time"]) {
    assert.equal(versionOf(name), 2);
  }
});

const OTHER_HASHES = {
  "an unknown algorithm": { path: "/home" },
  "an inherited name": { toString: MD5 },
  "a path": { md5: "/home/somebody/photo.jpg" },
  "upper case": { md5: MD5.toUpperCase() },
  "a digit too few": { md5: MD5.slice(1) },
  "two of them": { md5: `${MD5},${MD5}` },
  "too many segments": { crop_resistant: `${"0,".repeat(256)}0`.replaceAll("0", MD5.slice(16)) },
  "a line more": { md5: `${MD5}\n` },
  "no text": { md5: 5 },
  "a list": { md5: [MD5] },
  "a PDQ hash without quality": { pdq: { value: PDQ.value } },
  "a PDQ hash that is a text": { pdq: PDQ.value },
  "a quality above 100": { pdq: { ...PDQ, quality: 101 } },
  "a quality below 0": { pdq: { ...PDQ, quality: -1 } },
  "a quality between numbers": { pdq: { ...PDQ, quality: 50.5 } },
  "frames that are no list": { vpdq: { interval: 1, frames: {} } },
  "another interval": { vpdq: { ...VPDQ, interval: "some" } },
  "an endless interval": { vpdq: { ...VPDQ, interval: Infinity } },
  "a negative time": { vpdq: { interval: 1, frames: [{ ...FRAME, timestamp: -1 }] } },
  "no time": { vpdq: { interval: 1, frames: [{ ...FRAME, timestamp: NaN }] } },
  "a late time": { vpdq: { interval: 1, frames: [{ ...FRAME, timestamp: 1e9 + 1 }] } },
  "half a frame": { vpdq: { interval: 1, frames: [{ ...FRAME, frame: 0.5 }] } },
  "another encoding": { tmk_pdqf: { encoding: "text", value: "abcd" } },
  "base64 in a list": { tmk_pdqf: { encoding: "base64", value: ["abcd"] } },
  "no base64": { tmk_pdqf: { encoding: "base64", value: "a path" } },
  nothing: { md5: null },
};

test("what is no hash is refused", () => {
  const segments = `${"0,".repeat(255)}0`.replaceAll("0", MD5.slice(16));
  const right = { md5: MD5, pdq: PDQ, vpdq: VPDQ, crop_resistant: segments };
  assert.equal(submissionOf([image(right)]).items.length, 1);
  for (const [name, hashes] of Object.entries(OTHER_HASHES)) {
    assert.throws(() => submissionOf([image(hashes)]), TypeError, name);
    const variant = { name: "mirrored", ...hashes };
    assert.throws(() => submissionOf([image({ md5: MD5 }, [variant])]), TypeError, name);
  }
});

test("names of variants are names", () => {
  for (const name of ["crop-2.5", "padded-9x16-black", "alpha-dropped+as-stored"]) {
    assert.equal(submissionOf([image({ pdq: PDQ }, [{ name, pdq: PDQ }])]).items.length, 1);
  }
  for (const name of ["", "My photo", "/home", "photo.jpg ", "-a", undefined, 5n, ["a b"]]) {
    const wrong = image({ pdq: PDQ }, [{ name, pdq: PDQ }]);
    assert.throws(() => submissionOf([wrong]), TypeError, String(name));
  }
});

test("what is no list of results is refused", () => {
  const wrong = ["/home", image({ md5: MD5 }), null, undefined, ["/home"], [null], [5]];
  for (const results of wrong) assert.throws(() => submissionOf(results), TypeError);
  assert.throws(() => submissionOf([{ ...image({ md5: MD5 }), kind: "text" }]), TypeError);
  assert.throws(() => submissionOf([image({ md5: MD5 }, {})]), TypeError);
  assert.throws(() => submissionOf([image(MD5)]), TypeError);
});
