// In the place of static/language.js: all languages are in the page, and one of them is shown.

/** The language that the address asks for, or else the first that the person reads. */
function wishedLanguage() {
  const asked = location.hash.slice(1);
  const wishes = [asked, ...navigator.languages.map((each) => each.split("-")[0].toLowerCase())];
  const there = [...document.querySelectorAll("template[data-language]")];
  const known = [document.body.dataset.language, ...there.map((each) => each.dataset.language)];
  return wishes.find((each) => known.includes(each)) ?? known[0];
}

/** Puts the page in this language in the place of the one that is shown. */
function showIn(language) {
  if (language === document.body.dataset.language) return;
  const shape = document.querySelector(`template[data-language="${language}"]`);
  document.documentElement.lang = shape.dataset.lang;
  document.documentElement.dir = shape.dataset.dir;
  document.title = shape.dataset.title;
  document.body.dataset.language = language;
  document.body.replaceChildren(shape.content);
}

/** Opens the page in the language of this link, in the place of this one in the history. */
export function openLanguage(link) {
  location.replace(link.href);
  location.reload();
}

showIn(wishedLanguage());
