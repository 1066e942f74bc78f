"""Workers that crash, hang, exceed their memory or lie: each costs only the file it was hashing."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

import hashkit
from hashkit.errors import WorkerUnavailable
from hashkit.models import FailedFile, HashedFile
from hashkit.pipeline.options import Options
from hashkit.sandbox import pool, process
from hashkit.sandbox.pool import WorkerPool
from hashkit.sandbox.process import Limits, WorkerProcess

pytestmark = pytest.mark.test_all

# Faults of a compromised decoder, in a real worker with its restrictions.
FAULTS = r"""
import ctypes, hashlib, os, sys, time, hashkit.sandbox.worker as worker
from hashkit.sandbox.worker import main
abort, real = ctypes.CDLL(None).abort, worker.hash_or_fail
def say(text):
    os.write(3, text.encode())
late = []
def hash_or_fail(path, options, on_progress):
    if late: time.sleep(1000)
    match path.stem.split("-")[0]:
        case "crash": abort()
        case "leave": os._exit(0)
        case "later": late.append(path)
        case "hang": time.sleep(1000)
        case "deaf": os.close(3); time.sleep(1000)
        case "creep":
            for part in range(20):
                time.sleep(0.1); on_progress(part / 20)
        case "forever":
            while True:
                time.sleep(0.1); on_progress(0.5)
        case "poison":
            innocent = path.with_name("innocent.bmp")
            claimed = hashlib.sha256(innocent.read_bytes()).hexdigest()
            say('{"outcome": {"kind": "image", "hashes": {"sha256": "%s", "pdq": {"value": "%s", '
                '"quality": 100}}, "notices": [], "error": null}, "sha256": "%s"}\n'
                % (claimed, "ab" * 32, claimed))
            while True: time.sleep(1)
        case "words": say("not JSON\n")
        case "list": say("[1]\n")
        case "pickle": say("\x80\x04K\x01.\n")
        case "odd": say('{"outcome": {"kind": "image", "hashes": {"pdq": "%s"}, '
                        '"notices": [], "error": null}, "sha256": null}\n' % path)
        case "notice": say('{"outcome": {"kind": "image", "hashes": {}, '
                           '"notices": [["small", "Call this number"]], "error": null}, '
                           '"sha256": null}\n')
        case "escape": say('{"outcome": {"kind": null, "hashes": {}, "notices": [], '
                           '"error": ["not_media", "\\u001b[2J"]}, "sha256": null}\n')
        case "progress": say('{"progress": "much"}\n')
        case "nothing": say("\n" * 3)
    return real(path, options, on_progress)
worker.hash_or_fail = hash_or_fail
"""


@pytest.fixture
def misbehaving(monkeypatch):
    begin = process._BOOTSTRAP.replace(
        "from hashkit.sandbox.worker import main", f"exec({FAULTS!r})"
    )
    assert begin != process._BOOTSTRAP
    monkeypatch.setattr(process, "_BOOTSTRAP", begin)


def hash_among_others(name, samples, folder, **options):
    """The outcome of a file whose name triggers a fault, hashed between two good ones."""
    data = (samples / "bmp.bmp").read_bytes()
    paths = [folder / "first.bmp", folder / f"{name}.bmp", folder / "last.bmp"]
    for number, path in enumerate(paths):
        path.write_bytes(data + bytes(number))
    first, outcome, last = hashkit.hash_files(paths, workers=1, **options)
    for path, each in zip((paths[0], paths[2]), (first, last), strict=True):
        assert each == hashkit.hash_file(path)
    assert outcome.path == paths[1]
    return outcome


@pytest.mark.skipif(os.name != "posix", reason="writes to the pipe of answers")
@pytest.mark.usefixtures("misbehaving")
class TestMisbehaviour:
    @pytest.mark.parametrize(
        "name",
        [
            *("crash", "leave", "words", "list", "pickle", "odd", "notice", "escape"),
            *("progress", "nothing"),
        ],
    )
    def test_crashes_and_lies(self, name, samples, tmp_path):
        outcome = hash_among_others(name, samples, tmp_path)
        assert isinstance(outcome, FailedFile)
        assert outcome.error.code == "decoder_crashed"
        # The exact hashes are still there.
        exact = hashlib.sha256(outcome.path.read_bytes()).hexdigest()
        assert {each.algorithm: each.value for each in outcome.hashes}["sha256"] == exact
        assert [notice.code for notice in outcome.notices] == ["exact_only"]

    def test_a_file_cannot_pass_for_another(self, samples, tmp_path):
        """A compromised worker claims that its file is a copy of another, so that the other would
        get its forged hashes."""
        data = (samples / "bmp.bmp").read_bytes()
        innocent = tmp_path / "innocent.bmp"
        innocent.write_bytes(data)
        (tmp_path / "poison.bmp").write_bytes(data[:-1] + b"x")
        paths = [tmp_path / "poison.bmp", innocent, tmp_path / "poison.bmp", innocent]
        for workers in (1, 2):
            outcomes = list(hashkit.hash_files(paths, workers=workers, time_limit=4))
            expected = hashkit.hash_file(innocent)
            assert [outcomes[1], outcomes[3]] == [expected] * 2

    def test_a_hang_caused_by_an_earlier_file(self, samples, tmp_path):
        """A worker that answers, and then hangs on the next file."""
        names = ("later-1.bmp", "good-2.bmp", "good-3.bmp")
        for name in names:
            (tmp_path / name).write_bytes((samples / "bmp.bmp").read_bytes() + name.encode())
        paths = [tmp_path / name for name in names]
        outcomes = list(hashkit.hash_files(paths, workers=1, time_limit=4))
        assert outcomes == [hashkit.hash_file(path) for path in paths]

    @pytest.mark.parametrize("name", ["hang", "deaf"])
    def test_hangs(self, name, samples, tmp_path, monkeypatch):
        monkeypatch.setattr(process, "_EXIT_TIMEOUT", 0.2)
        outcome = hash_among_others(name, samples, tmp_path, time_limit=4)
        expected = "took_too_long" if name == "hang" else "decoder_crashed"
        assert outcome.error.code == expected
        assert outcome.hashes

    def test_progress_for_ever(self, samples, tmp_path, monkeypatch):
        """A compromised worker could report progress for ever."""
        monkeypatch.setattr(pool, "_MIN_VIDEO_RATE", 1e5)
        outcome = hash_among_others("forever", samples, tmp_path, time_limit=3)
        assert outcome.error.code == "took_too_long"
        assert outcome.hashes

    def test_slow_progress(self, samples, tmp_path):
        outcome = hash_among_others("creep", samples, tmp_path, time_limit=1.9)
        assert isinstance(outcome, HashedFile)


def solid_png(path, side):
    """A PNG of a few kilobytes that takes gigabytes to decode."""
    row = b"\0" + bytes(side * 4 * 2)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()

    def chunk(kind, content):
        crc = zlib.crc32(kind + content)
        return len(content).to_bytes(4, "big") + kind + content + crc.to_bytes(4, "big")

    size = side.to_bytes(4, "big")
    header = chunk(b"IHDR", size + size + bytes([16, 6, 0, 0, 0]))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b""))


@pytest.fixture(scope="module")
def little_memory(samples):
    """A limit, in bytes, at which a small picture can just be hashed: how much the libraries take
    depends on their versions."""
    for limit in range(400 << 20, 2 << 30, 50 << 20):
        workers = WorkerPool(Options(), Limits(memory=limit))
        try:
            if isinstance(workers.hash(samples / "scene-1.jpg").outcome, HashedFile):
                return limit + (50 << 20)
        except WorkerUnavailable:
            continue  # not enough to start
        finally:
            workers.close()
    pytest.fail("A worker needs more than 2 GB for a small picture.")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
@pytest.mark.parametrize("kind", ["png", "jpg", "tiff", "webp", "avif", "heic", "jp2", "bmp"])
def test_too_much_memory(kind, samples, tmp_path, little_memory):
    """Whichever decoder runs out of memory, and however it reports that, only this file fails."""
    bomb = tmp_path / f"bomb.{kind}"
    if kind == "png":
        solid_png(bomb, 6000)
    else:
        picture = Image.new("RGB", (8000, 8000), "teal")
        if kind == "heic":
            pillow_heif.from_pillow(picture).save(bomb)
        else:
            picture.save(bomb)
    workers = WorkerPool(Options(), Limits(memory=little_memory))
    try:
        outcome = workers.hash(bomb).outcome
        assert isinstance(outcome, FailedFile), outcome.notices
        assert outcome.error.code in ("too_much_memory", "decoder_crashed", "media_corrupt")
        if kind in ("png", "jpg", "tiff", "bmp"):
            assert outcome.error.code == "too_much_memory"
        assert [each.algorithm for each in outcome.hashes] == ["md5", "sha1", "sha256"]
        assert isinstance(workers.hash(samples / "scene-1.jpg").outcome, HashedFile)
    finally:
        workers.close()


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
class TestKilledByTheSystem:
    """The system kills a worker while it is hashing."""

    def film(self, folder):
        import av

        path = folder / "long.mp4"
        rng = np.random.default_rng(0)
        noise = rng.integers(0, 255, (360, 640, 3), np.uint8)
        with av.open(path, "w") as container:
            stream = container.add_stream("mpeg4", rate=30)
            stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
            for number in range(900):
                frame = av.VideoFrame.from_ndarray(np.roll(noise, 7 * number, 1), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    @pytest.mark.parametrize(
        ("sent", "code"),
        [
            ("SIGSEGV", "decoder_crashed"),  # by name: Windows has not all of them
            ("SIGKILL", "too_much_memory"),
            ("SIGSTOP", "took_too_long"),
        ],
    )
    def test_while_hashing(self, sent, code, tmp_path, samples):
        film = self.film(tmp_path)
        workers = WorkerPool(
            Options(("sha256", "vpdq")), Limits(seconds=4 if sent == "SIGSTOP" else 120)
        )
        at_work = threading.Event()

        def strike():
            at_work.wait(60)
            (worker,) = workers._all
            os.kill(worker._process.pid, getattr(signal, sent))

        striker = threading.Thread(target=strike)
        striker.start()
        try:
            outcome = workers.hash(film, lambda _: at_work.set()).outcome
            striker.join()
            assert outcome.error.code == code
            assert [each.algorithm for each in outcome.hashes] == ["sha256"]
            assert isinstance(workers.hash(samples / "film-h264.mp4").outcome, HashedFile)
        finally:
            workers.close()

    def test_workers_end_when_the_parent_is_killed(self, samples):
        """When the parent process is killed, its workers end too."""
        code = """
import sys, hashkit
from hashkit.batch import run
from hashkit.sandbox import process
outcomes = hashkit.hash_files([sys.argv[1]] * 3, workers=1)
next(outcomes)
workers = outcomes.gi_frame.f_locals["self"]._hash_executor._pool
print(*(worker._process.pid for worker in workers._all), flush=True)
import os; os.kill(os.getpid(), 9)
"""
        import subprocess

        command = [sys.executable, "-c", code, str(samples / "bmp.bmp")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        pids = [int(pid) for pid in done.stdout.split()]
        assert pids
        deadline = time.monotonic() + 20
        while any(is_alive(pid) for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not [pid for pid in pids if is_alive(pid)]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z")


def test_a_worker_that_cannot_start(monkeypatch):
    monkeypatch.setattr(process, "_BOOTSTRAP", "raise SystemExit(1)")
    with pytest.raises(WorkerUnavailable):
        list(hashkit.hash_files(["a.jpg"]))


def test_a_python_that_is_not_there(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(WorkerUnavailable):
        WorkerProcess(Options(), Limits())


def test_time_limits_grow_up_to_a_bound():
    """A sparse file may claim any size."""
    assert pool.time_limits(180, 0) == (180, 180)
    assert pool.time_limits(5, 2_000_000) == (6, 406)
    assert pool.time_limits(180, 1 << 60) == (180 + 3600, 180 + 3600 + 86_400)
    hour, _ = pool.time_limits(0, 64 << 30)
    assert (64 << 30) / hour < 20e6  # bytes a second that a disk must give


def test_idle_workers_are_ended(samples):
    workers = WorkerPool(Options(), Limits(), idle_seconds=0.2)
    workers.hash(samples / "bmp.bmp")
    deadline = time.monotonic() + 20
    while workers._all and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not workers._all
    assert isinstance(workers.hash(samples / "bmp.bmp").outcome, HashedFile)
    workers.close()


def test_nothing_is_imported_from_the_folder_of_hostile_files(samples, tmp_path, monkeypatch):
    for name in ("json", "numpy", "hashkit", "cv2"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "json.py"))
    (outcome,) = hashkit.hash_files([samples / "bmp.bmp"])
    assert isinstance(outcome, HashedFile)
    assert not (tmp_path / "ran").exists()
