// What the engine finds in videos without decoding them: node video_facts.js < paths > facts, both
// JSON, a list each. Frames are put in the order of display by their stamps.

import { openAsBlob, readFileSync } from "node:fs";

const { FileBytes } = await import("../../hashkit/browser/bytes.js");
const { openContainer } = await import("../../hashkit/browser/containers.js");
const { StampChooser, Timeline } = await import("../../hashkit/browser/sampling.js");

const DAY = 24 * 60 * 60;

async function factsOf({ path, format }) {
  let container;
  try {
    container = await openContainer(new FileBytes(await openAsBlob(path)), format);
  } catch (error) {
    if (error.toJSON === undefined) throw error;
    return { error: error.toJSON() };
  }
  const { samples, tick, turn, width, height, coding } = container.track;
  const order = [...samples.shown.slice(0, samples.count).keys()].filter((i) => !(samples.flags[i] & 2));
  order.sort((a, b) => samples.shown[a] - samples.shown[b]);
  const timeline = new Timeline(container.rate, DAY);
  const chooser = new StampChooser();
  const times = order.map((i) => {
    const stamp = chooser.choose(samples.shown[i], null) * tick - container.start;
    return timeline.place(stamp, samples.durations[i] * tick);
  });
  const sums = order.map((i) => [samples.places[i], samples.sizes[i], samples.flags[i] & 1]);
  return {
    times, durations: order.map((i) => samples.durations[i] * tick), places: sums,
    rate: container.rate, constantRate: container.constantRate, duration: container.duration,
    ownLength: container.ownLength, turn, width, height, coding,
    codec: container.coding?.name, family: container.coding?.family, colour: container.coding?.colour,
  };
}

const answers = [];
for (const job of JSON.parse(readFileSync(0, "utf8"))) answers.push(await factsOf(job));
process.stdout.write(JSON.stringify(answers));
