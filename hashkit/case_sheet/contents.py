"""The contents of a case sheet, independent of its layout."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from hashkit._version import __version__
from hashkit.case_sheet.blocks import (
    Blank,
    Block,
    CaseSheet,
    Fact,
    Facts,
    Form,
    Note,
    Points,
    Section,
    Table,
    Text,
    ToSign,
)
from hashkit.case_sheet.choosing import About, groups
from hashkit.case_sheet.listing import edits_of, qualities, table_of
from hashkit.case_sheet.reading import Document
from hashkit.guide.directory import SHARED_LIMITS, Age, Purpose, Service
from hashkit.guide.guidance import COUNTRIES
from hashkit.locale.language import UNREVIEWED, Texts, marked, texts_in
from hashkit.models import MediaKind

_MAX_INLINE_ROWS = 40
"""Longer lists are moved to the end of the sheet."""

_NOTE_LINES = 5

_UNREVIEWED = marked("No native speaker has checked this translation yet.")

# The same sentence as in the guide.
_NEVER_RECEIVE = marked(
    "A helper must never receive, copy or forward a picture of a person under 18."
)
_ON_ITS_DEVICE = marked("The person uses the service on the device that holds the picture.")


def case_sheet(document: Document, about: About, language: str, made_on: date) -> CaseSheet:
    """The case sheet of a submission. ValueError for a language that hashkit does not speak."""
    texts = texts_in(language)
    items = document.submission.items
    sections = [
        _what_was_hashed(document, texts),
        _when(document, made_on, texts),
        _checking(document, texts),
        _services(about, texts),
        _limits(texts),
        _records(about, texts),
    ]
    if len(items) > _MAX_INLINE_ROWS:
        heading = texts.gettext("The whole list")
        sections.append(Section("list", heading, (table_of(items, texts),)))
    return CaseSheet(
        language=language,
        made_on=made_on,
        title=texts.gettext("Case sheet"),
        confidential=texts.gettext("Confidential"),
        opening=tuple(_opening(language, texts)),
        sections=tuple(sections),
    )


def _opening(language: str, texts: Texts) -> Iterator[Block]:
    yield Text(
        texts.gettext("For the person it is about, and for the support workers who help them.")
    )
    yield Text(
        texts.gettext(
            "This sheet goes with a file of hashes, called a submission. It says what is in that "
            "file, so that whoever gets it can check it. A hash is a fingerprint that a computer "
            "makes from a picture or a video."
        )
    )
    nothing_else = texts.gettext(
        "There are no pictures, no file names and no folders in this sheet."
    )
    made_with = texts.gettext("It was made with hashkit {version}.").format(version=__version__)
    yield Text(f"{nothing_else} {made_with}")
    if language in UNREVIEWED:
        yield Text(texts.gettext(_UNREVIEWED))


def _what_was_hashed(document: Document, texts: Texts) -> Section:
    items = document.submission.items
    heading = texts.gettext("What was hashed")
    if not items:
        return Section("hashed", heading, (Text(texts.gettext("This submission is empty.")),))
    kinds = [item.kind for item in items]
    counts = Facts(
        (
            Fact(texts.gettext("Pictures"), str(kinds.count(MediaKind.IMAGE))),
            Fact(texts.gettext("Videos"), str(kinds.count(MediaKind.VIDEO))),
            Fact(texts.gettext("Edits, hashed too"), str(sum(map(edits_of, items)))),
            *(
                Fact(
                    texts.gettext("Quality: {quality}").format(quality=texts.gettext(quality)),
                    str(number),
                )
                for quality, number in qualities(items)
            ),
        )
    )
    too_long = Text(texts.gettext("The list of all of them is at the end of this sheet."))
    table = table_of(items, texts) if len(items) <= _MAX_INLINE_ROWS else too_long
    return Section("hashed", heading, (counts, table, _how_to_read(texts)))


def _how_to_read(texts: Texts) -> Points:
    return Points(
        texts.gettext("How to read the list"),
        (
            texts.gettext(
                "Quality says how much detail a hash has. The quality of a video is that of its "
                "best frame."
            ),
            texts.gettext(
                "Too plain: there is too little detail to match. Services discard such a hash, so "
                "only a service that looks for exact copies may find the file."
            ),
            texts.gettext(
                "Edits: how many likely changes to it, such as cropping, were hashed too, so that "
                "changed copies can be found more often."
            ),
            texts.gettext(
                "The beginning of one hash is there so that a row can be found again in the "
                "submission."
            ),
        ),
    )


def _when(document: Document, made_on: date, texts: Texts) -> Section:
    facts = [Fact(texts.gettext("Sheet made on"), made_on.isoformat())]
    if document.saved is not None:
        saved = document.saved.isoformat(" ", "minutes")
        facts.append(Fact(texts.gettext("Submission saved on"), saved))
    explanation = texts.gettext(
        "The dates are year, month, day, by the clock of the computer that made this sheet. The "
        "submission itself holds no dates. A copy of it can show another one."
    )
    return Section("when", texts.gettext("When"), (Facts(tuple(facts)), Text(explanation)))


def _checking(document: Document, texts: Texts) -> Section:
    return Section(
        "checksums",
        texts.gettext("Checking that it is the same file"),
        (
            Text(
                texts.gettext(
                    "These are the checksums of the submission. A file that arrives with the same "
                    "checksum is the same file. If it has another one, ask for the file again."
                )
            ),
            Facts(
                (
                    Fact("SHA-256", document.sha256, Form.CODE),
                    Fact("MD5", document.md5, Form.CODE),
                )
            ),
            Text(
                texts.gettext(
                    "To see the SHA-256 of a file, type this line in a terminal, with the name of "
                    "the file instead of FILE:"
                ),
                leads_on=True,
            ),
            Facts(
                (
                    Fact("Windows", "certutil -hashfile FILE SHA256", Form.CODE),
                    Fact("macOS", "shasum -a 256 FILE", Form.CODE),
                    Fact("Linux", "sha256sum FILE", Form.CODE),
                )
            ),
        ),
    )


def _services(about: About, texts: Texts) -> Section:
    fitting = groups(about)
    oldest = min(service.checked for _, services in fitting for service in services)
    details = (
        texts.gettext("Details change. What the official page of a service says is what counts."),
        texts.gettext("These details were last checked: {date}.").format(date=f"{oldest:%Y-%m}"),
    )
    return Section(
        "services",
        texts.gettext("Services that fit"),
        (Text(" ".join(details)),),
        tuple(_group(age, services, texts) for age, services in fitting),
    )


def _group(age: Age, services: tuple[Service, ...], texts: Texts) -> Section:
    blocks: tuple[Block, ...] = ()
    if age is Age.ADULT:
        heading = texts.gettext("18 or over in the picture")
    else:
        heading = texts.gettext("Under 18 in the picture")
        blocks = (
            Note(texts.gettext(_NEVER_RECEIVE)),
            Text(texts.gettext(_ON_ITS_DEVICE), leads_on=True),
        )
    sections = tuple(_service(each, f"{age.value}-{each.id}", texts) for each in services)
    return Section(f"services-{age.value}", heading, blocks, sections)


def _service(service: Service, name: str, texts: Texts) -> Section:
    facts = (
        Fact(texts.gettext("For whom"), texts.gettext(service.audience)),
        Fact(texts.gettext("Where"), _where(service, texts)),
        Fact(texts.gettext("What it needs"), _together(service.needs, texts)),
        Fact(texts.gettext("Good to know"), _together(service.limits, texts)),
        Fact(texts.gettext("Official page"), service.page or "", Form.LINK),
        Fact(texts.gettext("Phone"), service.phone or ""),
    )
    known = Facts(tuple(fact for fact in facts if fact.value))
    return Section(name, service.name, (Text(texts.gettext(service.what_it_does)), known))


def _where(service: Service, texts: Texts) -> str:
    countries = [texts.gettext(COUNTRIES[code]) for code in service.countries]
    return ", ".join(countries) or texts.gettext("Worldwide")


def _together(sentences: tuple[str, ...], texts: Texts) -> str:
    return " ".join(texts.gettext(each) for each in sentences)


def _limits(texts: Texts) -> Section:
    own = (
        texts.gettext(
            "Give hashes only to a service or a person you trust. A skilled person can get a "
            "blurred idea of the picture from some of them."
        ),
        texts.gettext("The hashes of a video show how long it is."),
    )
    shared = tuple(texts.gettext(each) for each in SHARED_LIMITS)
    heading = texts.gettext("What hashes can and cannot do")
    return Section("limits", heading, (Points(None, shared + own),))


def _records(about: About, texts: Texts) -> Section:
    names = dict.fromkeys(
        service.name
        for _, services in groups(about)
        for service in services
        if service.purpose is not Purpose.HELP
    )
    table = Table(
        caption=texts.gettext("Case numbers that the services gave"),
        headings=(
            texts.gettext("Service"),
            texts.gettext("Case number"),
            texts.gettext("Date"),
        ),
        rows=tuple((name, "", "") for name in names),
        shares=(40, 40, 20),
        to_fill=True,
    )
    return Section(
        "records",
        texts.gettext("To fill in"),
        (
            table,
            Blank(texts.gettext("Notes"), _NOTE_LINES),
            ToSign((texts.gettext("Name"), texts.gettext("Date"), texts.gettext("Signature"))),
        ),
    )
