// What the page of the tests and its Worker do with a job. Values travel as JSON: files by their
// address, typed arrays in base64.

const Async = (async () => {}).constructor;

/** Import a module of the engine. */
const load = (name) => import(`/hashkit/${name}`);

/** Runs one job; what it throws is an answer, too. */
export async function perform(job, post) {
  const { number } = job;
  const report = (value) => {
    post({ number, report: sent(value) });
  };
  try {
    return { number, value: sent(await valueOf(job, report)) };
  } catch (error) {
    return { number, thrown: thrownBy(error) };
  }
}

async function valueOf(job, report) {
  if (job.do === "call") {
    const { [job.function]: called } = await load(job.module);
    return called(...(await received(job.arguments)));
  }
  const body = new Async("given", "load", "report", job.body);
  return body(await received(job.given), load, report);
}

function thrownBy(error) {
  const { name = typeof error, message = String(error), stack = "" } = error ?? {};
  return { name, message, stack, fields: sent({ ...error }) };
}

/** A value as it came from the server. */
async function received(value) {
  if (Array.isArray(value)) return Promise.all(value.map(received));
  if (value === null || typeof value !== "object") return value;
  if ("$file" in value) {
    return new File([await (await fetch(value.$file)).blob()], value.name);
  }
  if ("$array" in value) {
    const bytes = Uint8Array.from(atob(value.data), (each) => each.charCodeAt(0));
    return new globalThis[value.$array](bytes.buffer);
  }
  const entries = Object.entries(value).map(async ([name, each]) => [name, await received(each)]);
  return Object.fromEntries(await Promise.all(entries));
}

/** A value as it goes to the server. */
export function sent(value) {
  if (typeof value === "number" && !Number.isFinite(value)) return { $number: String(value) };
  if (typeof value === "bigint") return String(value);
  if (value === undefined) return null;
  if (value === null || typeof value !== "object") return value;
  if (typeof value.toJSON === "function") return sent(value.toJSON());
  if (Array.isArray(value)) return value.map(sent);
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    let text = "";
    for (let place = 0; place < bytes.length; place += 32768) {
      text += String.fromCharCode(...bytes.subarray(place, place + 32768));
    }
    return { $array: value.constructor.name, data: btoa(text) };
  }
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, sent(each)]));
}
