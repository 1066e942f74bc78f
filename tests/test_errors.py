"""The exception tree: drawn in its docstring, with unique codes and calm texts."""

from __future__ import annotations

import pickle

import pytest

from hashkit import errors, notices


def _all(kind=errors.HashkitError):
    return [kind, *(below for child in kind.__subclasses__() for below in _all(child))]


LEAVES = [kind for kind in _all() if not kind.__subclasses__()]


def test_codes_are_unique():
    codes = [kind.code for kind in LEAVES]
    assert len(set(codes)) == len(codes)
    codes = [notice.code for notice in notices.ALL]
    assert len(set(codes)) == len(codes)
    drawn = {value for value in vars(notices).values() if isinstance(value, notices.Notice)}
    assert drawn == set(notices.ALL)


@pytest.mark.parametrize("kind", _all(), ids=lambda kind: kind.__name__)
class TestEveryError:
    def test_is_drawn_in_the_tree(self, kind):
        drawn = [line for line in errors.__doc__.splitlines() if kind.__name__ in line.split()]
        assert len(drawn) == 1
        if kind in LEAVES:
            assert drawn[0].split()[-1] == kind.code

    def test_has_a_docstring(self, kind):
        assert kind.__doc__
        assert kind.__doc__ != kind.__base__.__doc__

    def test_survives_pickling(self, kind):
        for error in (kind(), kind("Another text.")):
            copy = pickle.loads(pickle.dumps(error))
            assert type(copy) is kind
            assert (copy.code, str(copy), copy.text) == (error.code, str(error), error.text)


@pytest.mark.parametrize("text", [kind.text for kind in LEAVES] + [n.text for n in notices.ALL])
def test_texts_are_whole_sentences_without_alarm(text):
    assert text[0].isupper()
    assert text.endswith(".")
    assert "!" not in text
    for word in ("invalid", "fatal", "illegal", "exception", "traceback", "you should have"):
        assert word not in text.lower()


def test_text_and_advice_of_one_error():
    usual = errors.FileMissing()
    assert (usual.text, usual.advice) == (errors.FileMissing.text, errors.FileMissing.advice)
    other = errors.FileMissing("Gone.")
    assert (str(other), other.advice) == ("Gone.", usual.advice)
    assert errors.FileMissing("Gone.", advice="Look again.").advice == "Look again."
    assert errors.FileMissing(advice="").advice == ""
