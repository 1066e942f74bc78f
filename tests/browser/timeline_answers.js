// Places and samples many sequences of stamps: node timeline_answers.js < jobs > answers, both JSON.

import { readFileSync } from "node:fs";

const { frameStep, Sampler, StampChooser, Timeline } =
  await import("../../hashkit/browser/sampling.js");

function answerTo({ rate, maxGap, back, interval, constantRate, frames, passed }) {
  const timeline = new Timeline(rate, maxGap, back);
  const chooser = new StampChooser();
  const sampler = new Sampler(interval, constantRate);
  const taken = [];
  const times = frames.map(({ shown, decoded, duration }, number) => {
    const timestamp = timeline.place(chooser.choose(shown, decoded), duration);
    if (passed[number] !== null) timeline.passBy(passed[number]);
    for (const each of sampler.take({ number, timestamp, duration })) taken.push(each.number);
    return timestamp;
  });
  for (const each of sampler.finish()) taken.push(each.number);
  const { isMended } = timeline;
  return { times, taken, isMended, counts: sampler.counts, every: frameStep(interval, rate) };
}

const jobs = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(jobs.map(answerTo)));
