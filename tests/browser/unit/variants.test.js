// Other readings: which are kept. The hashes are those of the conformance kit. Of what is turned,
// and of frames, the tests are in Python.
import assert from "node:assert/strict";
import { test } from "node:test";

import { hashEdits, hashReadings } from "../../../hashkit/browser/variants.js";
import { hashOfKit, pictureOfKit } from "./kit.js";

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
