// Asks the server of the tests for jobs, runs them here or in a Worker, and posts the answers.
import { perform, sent } from "./jobs.js";

/** @type {Worker | undefined} */
let worker;

let posted = Promise.resolve();

/** In the order of the calls: no report comes after the answer. */
function post(answer) {
  const body = JSON.stringify(answer);
  posted = posted.then(() => fetch("/answer", { method: "POST", body }));
  return posted;
}

function inWorker(job) {
  worker ??= new Worker("/page_worker.js", { type: "module" });
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => ("report" in data ? post(data) : resolve(data));
    worker.onerror = (event) => {
      worker = undefined;
      const message = event.message ?? "The Worker could not start.";
      const thrown = { name: "WorkerError", message, stack: "", fields: {} };
      resolve({ number: job.number, thrown });
    };
    worker.postMessage(job);
  });
}

async function work() {
  await post({ number: "ready", value: sent(navigator.userAgent) });
  for (;;) {
    const job = await (await fetch("/next")).json();
    if (job.number !== undefined) {
      await post(await (job.where === "worker" ? inWorker(job) : perform(job, post)));
    }
  }
}

work();
