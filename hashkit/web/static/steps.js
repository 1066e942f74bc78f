// The steps: one is shown at a time. The address stays the same, and so does the history.

const main = document.getElementById("main");
const said = document.getElementById("said").content;
const announcements = document.getElementById("announcements");

/** Shows this step, and puts the reader at its beginning. */
export function show(name) {
  for (const step of main.querySelectorAll("[data-step]")) step.hidden = step.dataset.step !== name;
  document.body.dataset.step = name;
  toBeginning();
}

/** Shows what is in this template, and takes away everything else that was on the page. */
export function showOnly(template) {
  const shape = document.getElementById(template).content.cloneNode(true);
  document.body.dataset.step = shape.querySelector("[data-step]").dataset.step;
  main.replaceChildren(shape);
  announcements.textContent = "";
  document.getElementById("languages")?.remove();
  toBeginning();
}

/** The step that is shown. */
export function current() {
  return document.body.dataset.step;
}

/** Shows what is for people of this age in the picture, and hides what is for others. */
export function showFor(minor) {
  for (const each of main.querySelectorAll("[data-for]")) {
    each.hidden = (each.dataset.for === "minor") !== minor;
  }
}

/** A sentence from the page, with ``values`` in the places of its names in braces. */
export function sentence(name, values = {}) {
  let text = said.querySelector(`[data-said="${name}"]`).textContent;
  for (const [key, value] of Object.entries(values)) text = text.replace(`{${key}}`, value);
  return text;
}

/** All sentences of this name. */
export function sentences(name) {
  return [...said.querySelectorAll(`[data-said="${name}"]`)].map((each) => each.textContent);
}

/** For people who hear the page: says it when they are not hearing anything else. */
export function announce(text) {
  announcements.textContent = text;
}

function toBeginning() {
  const heading = main.querySelector("section[data-step]:not([hidden]) h1");
  heading?.focus({ preventScroll: true });
  scrollTo(0, 0);
}
