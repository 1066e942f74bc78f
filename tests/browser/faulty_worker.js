// A Worker that fails in the way that its address says, until it is asked for digests alone.
import { hashBytesOnly } from "/hashkit/hashing.js";

const way = new URLSearchParams(location.search).keys().next().value;
if (way === "start") throw new Error("A policy does not let it start.");

onmessage = async ({ data: { blob, options, failed } }) => {
  if (failed !== undefined && way !== "always") {
    postMessage({ outcome: await hashBytesOnly(blob, options, failed) });
  } else if (way === "silent") {
    postMessage({ progress: 0.5 });
  } else {
    setTimeout(() => {
      throw new Error("There is no memory left.");
    });
  }
};
postMessage({ ready: true });
