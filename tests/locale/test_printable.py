"""Text that is safe to print."""

from __future__ import annotations

import pytest

from hashkit.locale.printable import printable


@pytest.mark.parametrize(
    ("untrusted", "shown"),
    [
        ("photo 1.jpg", "photo 1.jpg"),
        ("día-日本-ش.png", "día-日本-ش.png"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),  # a command to the terminal
        ("a\nb\tc", "a\\nb\\tc"),
        ("a\u202egpj.exe", "a\\u202egpj.exe"),  # turns the writing direction
        ("a\u2028b", "a\\u2028b"),  # a line separator
        ("a\u3000b", "a\\u3000b"),  # a space that is not ours
        ("a\ud800b", "a\\ud800b"),  # half a character
        ("a\ue000b", "a\\ue000b"),  # for private use
    ],
)
def test_what_is_shown(untrusted, shown):
    assert printable(untrusted) == shown
    shown.encode()


def test_what_is_harmless_stays():
    assert printable("a\u00a0b c", {" ", "\u00a0"}) == "a\u00a0b c"
    assert printable("a\u00a0b") == "a\\xa0b"
