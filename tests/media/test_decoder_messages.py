"""What native decoders print is heard, and nothing else is lost."""

from __future__ import annotations

import os
import sys

import pytest

from hashkit.media.decoder_messages import decoder_messages

OTHERS = ("a line of somebody else\n", "ValueError: no decoder's\n", "DatabasePool: connected\n")

TIFF = (
    "tempfile.tif: Using code not yet in table.\n"
    "LZWDecode: Not enough data at scanline 0 (short 49 bytes).\n"
    'MissingRequired: TIFF directory is missing required "StripOffsets" field.\n'
    "_TIFFVSetField: Bad value 9 for a tag.\n"
)

heard = pytest.mark.skipif(os.name != "posix", reason="on Windows, decoders are not heard")


@heard
def test_libtiffs_errors_count_and_its_warnings_do_not():
    with decoder_messages() as complaints:
        os.write(2, TIFF.encode())
        os.write(2, b"TIFFReadDirectory: Warning, Unknown field with tag 700.\n")
    assert complaints == TIFF.splitlines()


@heard
def test_complaints_are_kept_from_the_terminal(capfd):
    with decoder_messages() as complaints:
        os.write(2, b"Corrupt JPEG data: premature end of data segment\n")
        os.write(2, b"Unknown Adobe color transform code 7\n")
    assert complaints == ["Corrupt JPEG data: premature end of data segment"]
    assert capfd.readouterr().err == ""


def test_what_others_write_meanwhile_is_passed_on(capfd):
    with decoder_messages() as complaints:
        for line in OTHERS:
            os.write(2, line.encode())
    assert complaints == []
    assert capfd.readouterr().err == "".join(OTHERS)


def test_standard_error_is_back_after_an_exception(capfd):
    with pytest.raises(ZeroDivisionError), decoder_messages():
        raise ZeroDivisionError
    print("still here", file=sys.stderr, flush=True)
    assert capfd.readouterr().err == "still here\n"


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="elsewhere the rest is lost")
def test_more_than_a_pipe_holds_does_not_block():
    with decoder_messages() as complaints:
        for _ in range(20_000):
            os.write(2, b"Corrupt JPEG data: bad Huffman code\n")
    assert complaints


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts open descriptors")
def test_no_descriptor_is_left_open():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        with decoder_messages():
            pass
    assert len(os.listdir("/proc/self/fd")) == before


def test_padding_is_no_damage():
    with decoder_messages() as complaints:
        os.write(2, b"Corrupt JPEG data: 18 extraneous bytes before marker 0xd9\n")
    assert complaints == []
