// What the engine finds in videos without decoding them: node video_facts.js < paths > facts, both
// JSON, a list each. Frames are put in the order of display by their stamps.

import { createHash } from "node:crypto";
import { openAsBlob, readFileSync } from "node:fs";

const { FileBytes } = await import("../../hashkit/browser/bytes.js");
const { frameBytes, openContainer } = await import("../../hashkit/browser/containers.js");
const { displayOrder, planOf } = await import("../../hashkit/browser/frame_plan.js");

async function factsOf({ path, format }) {
  const file = new FileBytes(await openAsBlob(path));
  let container;
  try {
    container = await openContainer(file, format);
  } catch (error) {
    if (error.toJSON === undefined) throw error;
    return { error: error.toJSON() };
  }
  const { samples, tick, turn, width, height, coding } = container.track;
  const plan = planOf(container, displayOrder(samples), 1, true);
  const order = [...plan.order];
  const times = [...plan.times];
  const sum = createHash("sha256");
  const keys = [];
  for (let i = 0; i < samples.count; i++) {
    sum.update(await frameBytes(file, container, i));
    keys.push(samples.flags[i] & 1);
  }
  return {
    times, durations: order.map((i) => samples.durations[i] * tick), sum: sum.digest("hex"), keys,
    rate: container.rate, constantRate: container.constantRate, duration: container.duration,
    ownLength: container.ownLength, turn, width, height, coding,
    codec: container.coding?.name, family: container.coding?.family, colour: container.coding?.colour,
  };
}

const answers = [];
for (const job of JSON.parse(readFileSync(0, "utf8"))) answers.push(await factsOf(job));
process.stdout.write(JSON.stringify(answers));
