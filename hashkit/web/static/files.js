// The files that were chosen: each has a row, which says what becomes of it.
//
// A name comes from outside. It is only ever put in as text, set apart from what is around it.

import { sentence, sentences } from "./steps.js";

const shape = document.getElementById("file-shape").content.firstElementChild;
const list = document.createElement("ul");
list.id = "files";
list.className = "files";

const known = new Map(); // rows by what tells their files apart
let numbers = 0;
let changed = () => {};

/** What can be done with a file in each state. */
const ACTIONS = {
  chosen: ["remove"],
  waiting: ["cancel"],
  working: ["cancel"],
  stopped: ["again", "remove"],
  failed: ["again", "remove"],
  done: ["remove"],
  unreadable: ["again", "remove"],
};

/** Calls this whenever something about the files has changed. */
export function onChange(call) {
  changed = call;
}

/** All rows, in the order in which their files were chosen. */
export function rows() {
  return [...known.values()];
}

/** Adds these files, each ``{file, path}``. Returns how many were in the list already. */
export function add(found) {
  const before = known.size;
  const batch = document.createDocumentFragment();
  for (const { file, path } of found) {
    const key = JSON.stringify([path, file.size, file.lastModified]);
    if (known.has(key)) continue;
    const row = new Row(key, file, path);
    known.set(key, row);
    batch.append(row.element);
  }
  list.append(batch);
  changed();
  return found.length - (known.size - before);
}

/** Puts the list into this step: it is one list, and moves along. */
export function moveTo(step) {
  document.querySelector(`[data-step="${step}"] [data-files-place]`)?.append(list);
}

/** Forgets all files and their names. */
export function forget() {
  known.clear();
  list.replaceChildren();
}

class Row {
  /** ``work`` is set while the file is being hashed, ``number`` is hashkit's for it. */
  constructor(key, file, path) {
    this.key = key;
    this.file = file;
    this.work = null;
    this.number = null;
    this.part = 0;
    this.element = shape.cloneNode(true);
    this.bar = this.element.querySelector("progress");
    this.buttons = [...this.element.querySelectorAll("[data-do]")];
    this.#name(path);
    this.is("chosen");
  }

  /** It is in this state now. ``told`` is what came of it: a title and points. */
  is(state, told) {
    const held = this.element.contains(document.activeElement);
    this.state = state;
    this.verdict = told?.verdict ?? null;
    const kind = this.verdict === "unreadable" ? "unreadable" : state;
    this.element.dataset.state = state;
    this.element.dataset.verdict = this.verdict ?? "";
    this.element.querySelector("[data-state-shown]").textContent =
      told?.title ?? sentence(`state-${state}`);
    this.bar.hidden = state !== "working";
    this.progress(0);
    this.#points(told?.points ?? (state === "failed" ? sentences("why-failed") : []));
    for (const button of this.buttons) button.hidden = !ACTIONS[kind].includes(button.dataset.do);
    // The button that was pressed may be gone: whoever uses the keyboard goes on at the next.
    if (held) this.buttons.find((button) => !button.hidden)?.focus();
  }

  /** So much of it is done, 0 to 1. */
  progress(part) {
    this.part = part;
    this.bar.value = part;
    changed();
  }

  /** Is there still something to be done? */
  get isBusy() {
    return this.state === "waiting" || this.state === "working";
  }

  /** Takes it off the list. */
  remove() {
    const next = this.element.nextElementSibling ?? this.element.previousElementSibling;
    const held = this.element.contains(document.activeElement);
    known.delete(this.key);
    this.element.remove();
    if (held) (next?.querySelector("button:not([hidden])") ?? currentHeading())?.focus();
    changed();
  }

  #name(path) {
    const id = `file-${(numbers += 1)}`;
    const name = this.element.querySelector("[data-name]");
    name.textContent = path.replace(/\p{Cc}/gu, "\uFFFD"); // control characters, made visible
    name.id = id;
    this.bar.setAttribute("aria-labelledby", id);
    for (const button of this.buttons) {
      button.id = `${id}-${button.dataset.do}`;
      button.setAttribute("aria-labelledby", `${button.id} ${id}`);
    }
  }

  #points(texts) {
    const points = this.element.querySelector("[data-points]");
    points.replaceChildren(
      ...texts.map((text) => {
        const item = document.createElement("li");
        item.textContent = text;
        return item;
      }),
    );
    points.hidden = !texts.length;
  }
}

function currentHeading() {
  return document.querySelector("section[data-step]:not([hidden]) h1");
}
