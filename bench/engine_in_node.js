// Does one work of engine.js, or of hash-wasm, for each line on its input, and says when it is done:
// node engine_in_node.js [FOLDER where hash-wasm was installed]
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

import { MEGABYTES, WORK } from "./engine.js";

const folder = process.argv[2];
const wasm = folder && createRequire(`${folder}/`)("hash-wasm");
const bytes = new Uint8Array(MEGABYTES * 1_000_000).fill(77);
const makers = wasm && { md5: wasm.createMD5, sha1: wasm.createSHA1, sha256: wasm.createSHA256 };

async function byWasm(name) {
  const hasher = await makers[name]();
  hasher.init();
  for (let place = 0; place < bytes.length; place += 2 << 20) {
    hasher.update(bytes.subarray(place, place + (2 << 20)));
  }
  return hasher.digest("hex");
}

for await (const line of createInterface({ input: process.stdin })) {
  const [, wasmName] = /^hash-wasm (.*)/.exec(line) ?? [];
  await (wasmName ? byWasm(wasmName) : WORK[line]());
  process.stdout.write("done\n");
}
