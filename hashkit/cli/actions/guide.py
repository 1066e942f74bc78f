"""Asks what the guide has to know, and prints the guide."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import typer

from hashkit.cli.actions.answers import parse_age, parse_country
from hashkit.cli.options import check_language
from hashkit.cli.output.guidance import guidance_to_json, print_guidance, print_opening, wrapped
from hashkit.cli.output.terminal import ExitCode, fail, say
from hashkit.guide.guidance import COUNTRIES, OTHER, Age, Answers, guidance
from hashkit.locale.language import UNREVIEWED, Texts, marked, texts_in
from hashkit.sandbox import lockdown

_AGE_NOW = marked("How old are you now?")
_AGES_NOW = {"adult": marked("18 or over"), "under-18": marked("Under 18")}
_AGE_IN_PICTURE = marked("How old were you in the pictures and videos?")
_AGES_IN_PICTURE = {
    "adult": marked("18 or over in all of them"),
    "under-18": marked("Under 18 in one or more of them, or not sure"),
}
_COUNTRY = marked("Which country are you in?")
_THREATENED = marked("Is somebody threatening you?")
_YES_OR_NO = {"yes": marked("Yes"), "no": marked("No")}
_TYPE_A_NUMBER = marked("Type a number and press Enter:")
_NOT_A_NUMBER = marked("That is not one of the answers. Please type a number from 1 to {last}.")
_MISSING = marked(
    "Some answers are missing: {arguments}. Add them, or start hashkit guide in a terminal and "
    "without --json, and it asks."
)


@dataclass(frozen=True, slots=True)
class GuideOptions:
    """The options of the command, as they were given."""

    age: str | None
    age_in_picture: str | None
    country: str | None
    threatened: bool | None
    as_json: bool
    language: str


def run(options: GuideOptions) -> None:
    """Ask for the answers that are missing, and print the guide."""
    lockdown.lock_network()
    texts = texts_in(check_language(options.language))
    given = _Given(
        parse_age(options.age, "--age"),
        parse_age(options.age_in_picture, "--age-in-picture"),
        parse_country(options.country),
        options.threatened,
    )
    missing = given.missing()
    if missing and (options.as_json or sys.stdin is None or not sys.stdin.isatty()):
        why = texts.gettext(_MISSING).format(arguments=", ".join(missing))
        fail(why, None, ExitCode.WRONG_USE)
    unreviewed = options.language in UNREVIEWED
    if options.as_json:
        print(guidance_to_json(guidance(given.answers()), texts, options.language, unreviewed))
        return
    # On stderr before the questions; on stdout with the guide if there are none.
    print_opening(texts, unreviewed, sys.stderr if missing else sys.stdout)
    if missing:
        given.ask(texts)
    print_guidance(guidance(given.answers()), texts, opened=not missing)


@dataclass
class _Given:
    """The answers given so far, and the questions for the others."""

    age: Age | None
    age_in_picture: Age | None
    country: str | None
    threatened: bool | None

    def missing(self) -> list[str]:
        """The arguments that are still to be given. Of somebody under 18, the age in the picture is
        known."""
        wanted = {
            "--age": self.age is None,
            "--age-in-picture": self.age_in_picture is None and self.age != "under-18",
            "--country": self.country is None,
            "--threatened / --not-threatened": self.threatened is None,
        }
        return [name for name, is_missing in wanted.items() if is_missing]

    def ask(self, texts: Texts) -> None:
        """Ask for what is missing. Exits quietly where the person stops."""
        if reconfigure := getattr(sys.stdin, "reconfigure", None):
            reconfigure(errors="replace")  # a stray byte is a wrong answer, and asked again
        try:
            if self.age is None:
                self.age = Age(_choice(_AGE_NOW, _AGES_NOW, texts))
            if self.age_in_picture is None and self.age is Age.ADULT:
                self.age_in_picture = Age(_choice(_AGE_IN_PICTURE, _AGES_IN_PICTURE, texts))
            if self.country is None:
                self.country = _choice(_COUNTRY, COUNTRIES, texts)
            if self.threatened is None:
                self.threatened = _choice(_THREATENED, _YES_OR_NO, texts) == "yes"
        except (KeyboardInterrupt, EOFError):
            say("")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        say("")

    def answers(self) -> Answers:
        """What was given or answered. Nothing is missing any more but, of somebody under 18, the
        age in the picture."""
        return Answers(
            age=self.age or Age.UNDER_18,
            age_in_picture=self.age_in_picture or Age.UNDER_18,
            country=self.country or OTHER,
            threatened=bool(self.threatened),
        )


def _choice(question: str, choices: dict[str, str], texts: Texts) -> str:
    """The key of the answer that the person typed, as its number or its words."""
    labels = {key: texts.gettext(label) for key, label in choices.items()}
    accepted: dict[str, str] = {}
    say("")
    say(wrapped(texts.gettext(question)))
    for number, (key, label) in enumerate(labels.items(), 1):
        say(wrapped(label, f"  {number}. "))
        accepted |= {str(number): key, key.casefold(): key, label.casefold(): key}
    while True:
        print(texts.gettext(_TYPE_A_NUMBER), end=" ", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        answer = line.strip(" .)\t\r\n").casefold()
        if answer in accepted:
            return accepted[answer]
        say(wrapped(texts.gettext(_NOT_A_NUMBER).format(last=len(labels))))
