"""NCMEC's hash sharing, version 2: entries of images and videos, as XML.

What is published is how NCMEC answers a query; how an entry is submitted is not. So this is a
draft, modelled on the answer. Left out are who the entry is from (NCMEC knows that from the login),
when it was made, and its classification: nobody sorted anything here. Entries are numbered in the
order of the submission, which says nothing. A .tmk file is never part of such a document: NCMEC has
another address for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from hashkit.models import MediaKind
from hashkit.submission.formats.base import EDITS, QUALITY, READINGS, TOO_PLAIN, Format, by_file
from hashkit.submission.formats.signals import Signal

_NAMESPACE = "https://hashsharing.ncmec.org/hashsharing/v2"
_FINGERPRINTS = {"md5": "md5", "sha1": "sha1", "pdq": "pdq"}


class NCMEC(Format):
    """One entry for each file, and one more for the PDQ of each reading and edit."""

    name = "ncmec"
    draft = (
        "How an entry is submitted is not published: this is modelled on what NCMEC answers to a "
        "query."
    )
    details = (QUALITY, READINGS, EDITS)

    def refusal(self, signal: Signal) -> str | None:
        """Of its fingerprints, hashkit makes MD5, SHA-1, PDQ and TMK."""
        if signal.algorithm == "tmk_pdqf":
            return "NCMEC takes TMK as a file of its own, never in this document."
        if signal.algorithm not in _FINGERPRINTS:
            return "Of the hashes that hashkit makes, NCMEC takes MD5, SHA-1, PDQ and TMK."
        return TOO_PLAIN if signal.too_plain else None

    def write(self, held: Sequence[Signal]) -> bytes:
        """The document."""
        root = ET.Element("queryResult", xmlns=_NAMESPACE)
        for kind in MediaKind:
            entries = by_file((each for each in held if each.kind is kind), _FINGERPRINTS)
            group = ET.SubElement(root, f"{kind}s", count=str(len(entries)))
            for number, hashes in enumerate(entries, 1):
                entry = ET.SubElement(group, kind.value)
                ET.SubElement(entry, "id").text = f"{kind}{number}"
                fingerprints = ET.SubElement(entry, "fingerprints")
                for name, value in hashes.items():
                    ET.SubElement(fingerprints, name).text = value
        ET.indent(root)
        text = ET.tostring(root, encoding="unicode")
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode("ascii")
