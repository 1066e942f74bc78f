// Other readings: which are kept. The hashes are those of the conformance kit. Of what is turned,
// and of frames, the tests are in Python.
import assert from "node:assert/strict";
import { test } from "node:test";

import { pdqOf } from "../../../hashkit/browser/pdq.js";
import { hashEdits, hashReadings } from "../../../hashkit/browser/variants.js";
import { hashOfKit, pictureOfKit, rgbaPicture } from "./kit.js";

const ORIGINAL = { value: hashOfKit("colour-90x120").value, quality: 0 };
const reading = (name, file = name) => ({ name, picture: pictureOfKit(file) });

test("readings that say nothing new are left out", async () => {
  const found = await hashReadings(
    [
      reading("same", "colour-90x120"),
      reading("almost-63x65"),
      reading("again", "almost-63x65"),
      reading("text-140x150"),
      reading("dim-150x100"), // quality 30
      reading("gradient-down-130x66"), // 45
      reading("flat-80x100"),
    ],
    ORIGINAL,
  );
  const kept = ["almost-63x65", "text-140x150"];
  assert.deepEqual(found, kept.map((name) => ({ name, ...hashOfKit(name) })));
});

test("16 bits are near, 17 are not", async () => {
  const { value } = hashOfKit("text-140x150");
  for (const [bits, count] of [[16, 0], [17, 1]]) {
    const other = BigInt(`0x${value}`) ^ ((1n << BigInt(bits)) - 1n);
    const original = { value: other.toString(16).padStart(64, "0"), quality: 100 };
    const found = await hashReadings([reading("text-140x150")], original);
    assert.equal(found.length, count);
  }
});

/** Single dots on black, each with four gradients of 20 %: 90 % are one of quality. */
function dots(count) {
  const data = new Uint8Array(4 * 64 * 64);
  for (let i = 0; i < count; i++) {
    const place = 64 * (1 + 6 * (i % 10)) + 2 + 6 * Math.floor(i / 10);
    data.fill(51, 4 * place, 4 * place + 3);
  }
  return rgbaPicture(data, 64, 64, 64); // of this size, nothing is filtered
}

test("services take a quality of 50, and not of 49", async () => {
  const original = { value: "0".repeat(64), quality: 100 };
  const readings = [57, 56].map((count) => ({ name: String(count), picture: dots(count) }));
  const found = await hashReadings(readings, original);
  assert.deepEqual(found.map(({ name, quality }) => [name, quality]), [["57", 50]]);
  const picture = pictureOfKit("window-1-128x128");
  assert.equal((await hashEdits(picture, { ...original, quality: 50 })).length, 7);
});

test("without quality there are no edits, and nothing is read", async () => {
  const unread = { width: 90, height: 70, bands: () => assert.fail("it was read") };
  assert.deepEqual(await hashEdits(unread, { value: "00".repeat(32), quality: 49 }), []);
});

test("a picture that looks the same from two sides has no edit twice", async () => {
  const found = await hashEdits(pictureOfKit("window-1-128x128"), hashOfKit("window-1-128x128"));
  assert.deepEqual(found.map((each) => each.name), [
    "rotated-90", "rotated-180", "rotated-270", "flipped", "mirrored", "transposed", "transverse",
  ]);
  const [first] = found;
  const again = await hashEdits(pictureOfKit("window-1-128x128"), { ...first, name: undefined });
  assert.ok(again.every((each) => each.value !== first.value));
  assert.equal(again.length, 6);
});

test("of a picture that is its own transpose, each hash is there once", async () => {
  const data = Uint8Array.from({ length: 4 * 200 * 200 }, (_, i) => {
    const [x, y] = [(i >> 2) % 200, Math.floor(i / 800)];
    return Math.imul(1 + Math.min(x, y), 7919 * (1 + Math.max(x, y))) % 251;
  });
  const picture = rgbaPicture(data, 200, 200, 50);
  const { value, quality } = await pdqOf(picture);
  const found = await hashEdits(picture, { value, quality });
  assert.deepEqual(found.map((each) => each.name).slice(0, 2), ["rotated-90", "rotated-180"]);
  assert.equal(new Set(found.map((each) => each.value)).size, found.length);
  assert.ok(found.length <= 4);
});
