"""``hashkit guide``: what to do first, what to keep, and which services fit."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from hashkit.cli.arguments import check_language, parse_age, parse_country
from hashkit.cli.output.terminal import ExitCode, fail, say
from hashkit.locale.language import LANGUAGES, UNREVIEWED, Texts, marked, texts_in

if TYPE_CHECKING:
    from hashkit.guide.guidance import Age, Answers

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


def guide_command(
    age: Annotated[
        str | None, typer.Option(metavar="adult|under-18", help="How old you are now.")
    ] = None,
    age_in_picture: Annotated[
        str | None,
        typer.Option(
            metavar="adult|under-18",
            help="How old you were in the pictures: under-18 if in one or more, or if not sure.",
        ),
    ] = None,
    country: Annotated[
        str | None,
        typer.Option(
            metavar="COUNTRY", help="Where you are: GB, US, AU, IN, a name of these, or other."
        ),
    ] = None,
    threatened: Annotated[
        bool | None,
        typer.Option("--threatened/--not-threatened", help="Whether somebody threatens you."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, and ask nothing.")
    ] = False,
    language: Annotated[
        str, typer.Option(metavar="|".join(LANGUAGES), help="The language of the guide.")
    ] = "en",
) -> None:
    """Find out what to do, and which services help.

    It asks a few questions, and keeps none of the answers. Nothing is sent.
    """
    from hashkit.cli.output.guidance import guidance_to_json, print_guidance, print_opening
    from hashkit.guide.guidance import guidance

    texts = texts_in(check_language(language))
    given = _Given(parse_age(age, "--age"), parse_age(age_in_picture, "--age-in-picture"))
    given.country, given.threatened = parse_country(country), threatened
    missing = given.missing()
    if missing and (as_json or sys.stdin is None or not sys.stdin.isatty()):
        told = texts.gettext(_MISSING).format(arguments=", ".join(missing))
        fail(told, None, ExitCode.WRONG_USE)
    unreviewed = language in UNREVIEWED
    if as_json:
        print(guidance_to_json(guidance(given.answers()), texts, language, unreviewed))
        return
    # Before the questions, which are on stderr; or where the guide is, if there are none.
    print_opening(texts, unreviewed, sys.stderr if missing else sys.stdout)
    if missing:
        given.ask(texts)
    print_guidance(guidance(given.answers()), texts, opened=not missing)


class _Given:
    """The answers that are there, and the questions for those that are not."""

    def __init__(self, age: Age | None, age_in_picture: Age | None) -> None:
        self.age, self.age_in_picture = age, age_in_picture
        self.country: str | None = None
        self.threatened: bool | None = None

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
        from hashkit.guide.guidance import COUNTRIES, Age

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
        from hashkit.guide.guidance import OTHER, Age, Answers

        return Answers(
            age=self.age or Age.UNDER_18,
            age_in_picture=self.age_in_picture or Age.UNDER_18,
            country=self.country or OTHER,
            threatened=bool(self.threatened),
        )


def _choice(question: str, choices: dict[str, str], texts: Texts) -> str:
    """The key of what the person chose: by its number, or by the words of it."""
    from hashkit.cli.output.guidance import wrapped

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
