// The questions, age first, and what to do for these answers.

import { show, showFor } from "./steps.js";
import { guideFor } from "./work.js";

const form = document.getElementById("answers");
const missing = document.getElementById("missing");
const afterAge = document.getElementById("after-age");
const inPicture = document.getElementById("age_in_picture");

/** Asks, and leads on to the guidance. */
export function askQuestions() {
  form.reset(); // some browsers keep answers when a page is loaded again
  form.addEventListener("change", (event) => {
    if (event.target.name === "age") followAge();
    if (!missing.hidden) point(unanswered());
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const left = unanswered();
    point(left);
    if (left.length) missing.focus();
    else guide();
  });
}

/** Whoever is under 18 now was so in the picture. */
function followAge() {
  const { age } = answers();
  afterAge.hidden = !age;
  inPicture.hidden = age !== "adult";
}

function answers() {
  const given = Object.fromEntries(new FormData(form));
  return given.age === "under-18" ? { ...given, age_in_picture: "under-18" } : given;
}

/** The names of the questions that still need an answer. Of those after the age, none is asked
 * before the age is known. */
function unanswered() {
  const given = answers();
  const asked = given.age ? ["age_in_picture", "country", "threatened"] : ["age"];
  return asked.filter((name) => !given[name]);
}

/** Says at each of these questions, and above all of them, that the answer is missing. */
function point(names) {
  const list = missing.querySelector("ul");
  list.replaceChildren();
  for (const question of form.querySelectorAll("[data-question]")) {
    const name = question.dataset.question;
    const error = document.getElementById(`${name}-error`);
    const field = question.querySelector("input, select");
    error.hidden = !names.includes(name);
    question.classList.toggle("wrong", !error.hidden);
    if (field.matches("select")) field.setAttribute("aria-invalid", String(!error.hidden));
    if (error.hidden) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.textContent = error.textContent;
    button.addEventListener("click", () => field.focus());
    const item = document.createElement("li");
    item.append(button);
    list.append(item);
  }
  missing.hidden = !names.length;
}

async function guide() {
  const found = await guideFor(answers());
  if (found) showGuide(found);
}

function showGuide(found) {
  document.getElementById("guidance-text").replaceChildren(found);
  const short = document.getElementById("short-services-shape").content;
  document.getElementById("short-services").replaceChildren(short.cloneNode(true));
  const minor = document.getElementById("guide").dataset.minor === "yes";
  showFor(minor);
  document.getElementById("to-choose").classList.toggle("main", !minor); // for them, not the way
  show("guidance");
}
