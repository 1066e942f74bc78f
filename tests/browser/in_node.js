// Calls functions of the engine: node in_node.js < jobs > answers, both JSON, a list each.
// A job: {"module": "errors.js", "function": "noticeOf", "arguments": […]}. An argument {"$bytes":
// text} is that text in base64 as a Uint8Array, {"$file": text} the same as a FileBytes.

import { readFileSync } from "node:fs";

const { FileBytes } = await import("../../hashkit/browser/bytes.js");

function argumentOf(value) {
  if (value?.$bytes !== undefined) {
    return Uint8Array.from(Buffer.from(value.$bytes, "base64"));
  }
  if (value?.$file !== undefined) {
    return new FileBytes(new Blob([Buffer.from(value.$file, "base64")]));
  }
  return value;
}

async function answerTo(job) {
  const module = await import(`../../hashkit/browser/${job.module}`);
  const called = module[job.function];
  const values = job.arguments.map(argumentOf);
  try {
    const isClass = /^class\b/.test(called.toString());
    return { value: await (isClass ? new called(...values) : called(...values)) };
  } catch (error) {
    if (error.toJSON === undefined) {
      throw error;
    }
    return { error: error.toJSON() };
  }
}

const answers = [];
for (const job of JSON.parse(readFileSync(0, "utf8"))) {
  answers.push(await answerTo(job));
}
process.stdout.write(JSON.stringify(answers));
