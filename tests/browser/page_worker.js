// Runs the jobs of the tests in a module Worker.
import { perform } from "./jobs.js";

onmessage = async ({ data }) => postMessage(await perform(data, postMessage));
