"""The table, saved again by LibreOffice. Not part of the suite, for it is large to install:
``pytest tests/submission/formats/libreoffice.py``, as ``.ci/latest`` does."""

from __future__ import annotations

import subprocess

import pytest

from hashkit import Submission, export_submission, hash_file, import_submission

_ALGORITHMS = "md5,sha1,sha256,sha512"
# Field delimiter, quote and character set (76: UTF-8), as LibreOffice numbers them; then the
# language, quoted text, the detection of numbers, and whether cells are saved as they are shown.
_LOADED = "44,34,76,1,,1033,false,{detection}"
_SAVED = "{delimiter},34,76,1,,{language},false,true,false"


@pytest.mark.parametrize(
    ("delimiter", "language", "detection"),
    [(44, 1033, "false"), (59, 1033, "false"), (59, 1034, "true"), (9, 1036, "true")],
)
def test_libreoffice(samples, tmp_path, delimiter, language, detection):
    submission = Submission.of(
        [
            # Not all: a colour hash of digits alone becomes a number, and a TMK hash is longer than
            # a cell can be. Both are refused then.
            hash_file(samples / "scene-1.jpg", f"{_ALGORITHMS},pdq,phash,crop_resistant"),
            hash_file(samples / "film-trimmed.mkv", f"{_ALGORITHMS},vpdq"),
        ]
    )
    given = tmp_path / "given.csv"
    given.write_bytes(export_submission(submission, "csv").content)
    saved = _SAVED.format(delimiter=delimiter, language=language)
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless"]
    command += [f"--infilter=CSV:{_LOADED.format(detection=detection)}"]
    command += ["--convert-to", f"csv:Text - txt - csv (StarCalc):{saved}"]
    command += ["--outdir", str(tmp_path / "saved"), str(given)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    content = (tmp_path / "saved" / "given.csv").read_bytes()
    assert import_submission(content).submission == submission
