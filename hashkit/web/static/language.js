// Another language is another page. The page that works without hashkit has another file of this
// name.

/** Opens the page in the language of this link, in the place of this one in the history. */
export function openLanguage(link) {
  location.replace(link.href);
}
