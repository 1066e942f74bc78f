// A Worker that fails, or is slow, as its address says, until it is asked for digests alone.
import { hashBytesOnly } from "/hashkit/hashing.js";

const way = new URLSearchParams(location.search).keys().next().value;
if (way === "start") throw new Error("A policy does not let it start.");

onmessage = async ({ data: { blob, options, failed } }) => {
  if (failed !== undefined && way !== "always") {
    postMessage({ outcome: await hashBytesOnly(blob, options, failed) });
  } else if (way === "silent") {
    postMessage({ progress: 0.5 });
  } else if (way === "slow") {
    for (let part = 0; part < 20; part += 1) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      postMessage({ progress: part / 20 });
    }
    postMessage({ outcome: { slow: true } });
  } else {
    setTimeout(() => {
      throw new Error("There is no memory left.");
    });
  }
};
postMessage({ ready: true });
