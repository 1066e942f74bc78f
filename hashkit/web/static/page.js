// The page: it leads through the steps. What each of them does is in a file of its own.

import { letChoose } from "./choosing.js";
import { hasLeft } from "./exit.js";
import { forget, moveTo, onChange, rows } from "./files.js";
import { again, begin, cancel, cancelAll, remove, settled } from "./hashing.js";
import { openLanguage } from "./language.js";
import { askQuestions } from "./questions.js";
import { announce, current, sentence, show, showOnly } from "./steps.js";
import { endWork, placeOfSubmission, whenWorkEnds } from "./work.js";

const BETWEEN_ANNOUNCEMENTS = 15_000; // milliseconds

const element = (id) => document.getElementById(id);
let lastAnnounced = 0;
let planned = false;

function go(step) {
  moveTo(step);
  show(step);
}

/** Brings everything that depends on the files up to date, once for many changes. */
function update() {
  if (planned) return;
  planned = true;
  requestAnimationFrame(() => {
    planned = false;
    if (hasLeft() || !element("welcome")) return; // the page is gone
    const all = rows();
    element("languages").hidden = all.length > 0; // another language begins anew
    showChosen(all);
    showProgress(all);
    showResult(all);
    if (current() === "working" && !all.some((row) => row.isBusy)) go("result");
    if (current() === "result" && !all.length) go("choose");
  });
}

function showChosen(all) {
  element("chosen").hidden = !all.length;
  element("chosen-count").textContent = sentence("chosen", { count: all.length });
  if (all.length) element("none-chosen").hidden = true;
  const begun = all.some((row) => row.state !== "chosen");
  element("to-result").hidden = !begun;
  element("to-guidance").hidden = begun;
}

function showProgress(all) {
  const begun = all.filter((row) => row.state !== "chosen" && row.state !== "stopped");
  const done = begun.filter((row) => !row.isBusy).length;
  const text = sentence("done", { done, all: begun.length });
  const parts = begun.reduce((sum, row) => sum + (row.isBusy ? row.part : 1), 0);
  element("all-count").textContent = text;
  element("all-progress").value = begun.length ? parts / begun.length : 0;
  const now = performance.now();
  if (current() === "working" && now - lastAnnounced > BETWEEN_ANNOUNCEMENTS) {
    lastAnnounced = now;
    announce(text);
  }
}

function showResult(all) {
  const counts = { good: 0, plain: 0, exact_only: 0, unreadable: 0, stopped: 0 };
  for (const row of all) {
    if (row.verdict) counts[row.verdict] += 1;
    else if (row.state === "failed") counts.unreadable += 1;
    else if (!row.isBusy) counts.stopped += 1;
  }
  for (const each of element("summary").children) {
    const count = counts[each.dataset.count];
    each.hidden = !count;
    each.querySelector("[data-number]").textContent = count;
  }
  const lesser = counts.plain + counts.exact_only;
  element("submission").hidden = !(counts.good + lesser);
  element("nothing-good").hidden = counts.good > 0 || !(lesser + counts.unreadable);
}

function start() {
  const wanted = rows().filter((row) => row.state === "chosen" || row.state === "stopped");
  if (!wanted.length) {
    element("none-chosen").hidden = false;
    element("none-chosen").focus();
    return;
  }
  lastAnnounced = performance.now();
  begin(wanted, element("variants")?.checked === true);
  go("working");
}

function actOnFile(event) {
  const button = event.target.closest("[data-do]");
  const row = button && rows().find((each) => each.element.contains(button));
  if (!row) return;
  ({ cancel, again, remove })[button.dataset.do](row);
}

/** hashkit is gone: nothing of what it knew may stay here. */
function showEnded(template) {
  forget();
  showOnly(template);
}

async function finishAndClose() {
  showEnded("finished-shape");
  await endWork();
}

/** Saves what is on the list now, and nothing that was just taken off it. */
async function save() {
  await settled();
  const link = document.createElement("a");
  link.href = placeOfSubmission();
  link.download = "submission.json";
  link.click();
}

function chooseLanguage(event) {
  const link = event.target.closest("a[hreflang]");
  if (!link) return;
  event.preventDefault();
  openLanguage(link);
}

onChange(update);
addEventListener("click", actOnFile);
document.querySelector("body > header").addEventListener("click", chooseLanguage);
for (const button of document.querySelectorAll("[data-go]")) {
  button.addEventListener("click", () => go(button.dataset.go));
}
for (const button of document.querySelectorAll('[data-action="print"]')) {
  button.addEventListener("click", () => print());
}
for (const button of document.querySelectorAll('[data-action="finish"]')) {
  button.addEventListener("click", finishAndClose);
}
element("start").addEventListener("click", start);
element("save").addEventListener("click", save);
element("stop-all").addEventListener("click", cancelAll);
element("remove-all").addEventListener("click", () => rows().forEach(remove));
if (element("variants")) element("variants").checked = false; // some browsers keep it
askQuestions();
letChoose(() => current() === "choose");
whenWorkEnds(() => showEnded("ended-shape"));
document.body.dataset.step = "welcome";
