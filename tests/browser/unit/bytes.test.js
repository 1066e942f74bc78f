// What FileBytes gives is what the file holds, wherever it is asked; numbers are those of DataView.

import assert from "node:assert/strict";
import test from "node:test";

import { FileBytes, ascii, bytesOf, uint } from "../../../hashkit/browser/bytes.js";

const PAGE = 65536;
const LENGTH = 7 * PAGE + 1234;
const CONTENT = new Uint8Array(LENGTH);
for (let i = 0, seed = 1; i < LENGTH; i += 1) {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  CONTENT[i] = seed >> 16;
}

/** A Blob that counts what is read of it. */
class CountedBlob extends Blob {
  reads = [];

  slice(start, end) {
    this.reads.push([start, end]);
    return super.slice(start, end);
  }
}

async function assertSame(file, place, count) {
  const found = await file.at(place, count);
  const expected = CONTENT.slice(place, Math.min(place + count, LENGTH));
  assert.ok(Buffer.from(found).equals(Buffer.from(expected)), `${count} bytes at ${place}`);
}

test("any place and any count", async () => {
  const file = new FileBytes(new Blob([CONTENT]));
  assert.equal(file.size, LENGTH);
  const counts = [0, 1, 8, 16, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 1, 3 * PAGE, 1e15];
  for (let page = 0; page <= 8; page += 1) {
    for (const place of [-8, -1, 0, 1, 8, PAGE / 2].map((each) => page * PAGE + each)) {
      for (const count of place < 0 ? [] : counts) {
        await assertSame(file, place, count);
      }
    }
  }
  for (const place of [LENGTH - 1, LENGTH, LENGTH + 1, 2 ** 60]) {
    await assertSame(file, place, 16);
  }
});

test("what makes no sense gives nothing", async () => {
  const file = new FileBytes(new Blob([CONTENT]));
  for (const [place, count] of [[-1, 8], [NaN, 8], [0, -1], [5, NaN]]) {
    assert.equal((await file.at(place, count)).length, 0);
  }
});

test("what lies together is read once", async () => {
  const blob = new CountedBlob([CONTENT]);
  const file = new FileBytes(blob);
  for (let place = 0; place < PAGE - 16; place += 16) {
    await file.at(place, 16);
  }
  await file.at(0, PAGE);
  assert.deepEqual(blob.reads, [[0, PAGE]]);
  await Promise.all([file.at(PAGE, 8), file.at(PAGE + 8, 8), file.at(3, 8)]);
  assert.equal(blob.reads.length, 2);
});

test("few pages are kept, those used last", async () => {
  const blob = new CountedBlob([CONTENT]);
  const file = new FileBytes(blob);
  for (const page of [0, 1, 2, 3, 0, 4]) {
    await file.at(page * PAGE, 8);
  }
  assert.equal(blob.reads.length, 5);
  await file.at(0, 8); // was used after 1, 2 and 3
  await file.at(2 * PAGE, 8);
  assert.equal(blob.reads.length, 5);
  await file.at(PAGE, 8);
  assert.equal(blob.reads.length, 6);
  assert.ok(file.pages.size <= 4);
});

test("a large piece leaves the pages alone", async () => {
  const blob = new CountedBlob([CONTENT]);
  const file = new FileBytes(blob);
  await file.at(0, 8);
  await file.at(100, 5 * PAGE);
  assert.deepEqual(blob.reads, [[0, PAGE], [100, 100 + 5 * PAGE]]);
  assert.equal(file.pages.size, 1);
});

test("a file that cannot be read any more raises what the browser raises, again and again", async () => {
  const gone = new DOMException("gone", "NotReadableError");
  const file = new FileBytes({ size: 10, slice: () => ({ arrayBuffer: () => Promise.reject(gone) }) });
  for (const read of [() => file.at(0, 4), () => file.at(0, 4), () => bytesOf(file.blob, 0, 4)]) {
    await assert.rejects(read, gone);
  }
});

test("text in latin-1", () => {
  const all = Uint8Array.from({ length: 20000 }, (_, i) => i);
  const expected = Buffer.from(all).toString("latin1");
  assert.equal(ascii(all), expected);
  for (const [place, count] of [[0, 4], [250, 10], [4095, 4097], [19990, 100], [20001, 4]]) {
    assert.equal(ascii(all, place, count), expected.slice(place, place + count));
  }
});

test("numbers", () => {
  const bytes = CONTENT.subarray(5, 300);
  const view = new DataView(bytes.buffer, 5, 295);
  for (let at = 0; at < 280; at += 1) {
    for (const little of [true, false]) {
      assert.equal(uint(bytes, at, 1, little), view.getUint8(at));
      assert.equal(uint(bytes, at, 2, little), view.getUint16(at, little));
      assert.equal(uint(bytes, at, 4, little), view.getUint32(at, little));
      const wide = Number(view.getBigUint64(at, little));
      assert.ok(Math.abs(uint(bytes, at, 8, little) - wide) <= wide * 1e-15);
    }
  }
  assert.equal(uint(Uint8Array.of(1, 2, 3), 1, 4), 0x0203);
  assert.equal(uint(Uint8Array.of(1, 2, 3), 1, 4, true), 0x0302);
  assert.equal(uint(Uint8Array.of(1, 2, 3), 3, 4), 0);
  const most = Uint8Array.of(0, 0x1f, 255, 255, 255, 255, 255, 255);
  assert.equal(uint(most, 0, 8), Number.MAX_SAFE_INTEGER);
  assert.equal(uint(most.toReversed(), 0, 8, true), Number.MAX_SAFE_INTEGER);
});
