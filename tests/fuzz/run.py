"""Fuzz hashkit with atheris (libFuzzer): ``python tests/fuzz/run.py --seconds 60 [TARGET …]``.

Every target runs in a process of its own, as many at a time as there are cores. The samples are the
seeds; ``--corpus FOLDER`` keeps interesting inputs for the next run. Crashing inputs are kept in
the folder of ``--findings``. Exit codes: 0 nothing was found, 1 something was. For a long run:
``--hours 8 --corpus some/folder``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

NAMES = ("images", "videos", "document", "vpdq", "lists", "tmk", "sealed", "answers")
# Where a target's input is no longer bytes but pixels, following it teaches the fuzzer nothing, and
# takes most of the time.
_EXCLUDED = {
    name: ["hashkit.hashes", "hashkit.variants", "hashkit.submission", "hashkit.pipeline"]
    for name in ("images", "videos")
}
_MAX_SECONDS_PER_INPUT = 120
_MAX_MEGABYTES = 6_000


def main() -> int:
    """Run the named targets, or all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of: {', '.join(NAMES)}")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--seconds", type=int, default=60, help="for each target")
    length.add_argument("--hours", type=float, help="for each target, instead of --seconds")
    parser.add_argument("--corpus", type=Path, help="a folder to keep what was learnt")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.hours is not None:
        options.seconds = round(options.hours * 3600)
    if options.child:
        return fuzz(options.child, options.seconds, options.corpus, options.findings)
    names = options.targets or NAMES
    if unknown := set(names) - set(NAMES):
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    options.findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(options.jobs) as pool:
        corpus = options.corpus or Path(scratch)
        failed = [
            name
            for name, code in zip(
                names, pool.map(lambda name: _run(name, corpus, options), names), strict=True
            )
            if code
        ]
    print(f"Something was found by: {', '.join(failed)}" if failed else "Nothing was found.")
    return 1 if failed else 0


def _run(name: str, corpus: Path, options: argparse.Namespace) -> int:
    log = options.findings / f"{name}.log"
    command = [sys.executable, __file__, "--child", name, "--seconds", str(options.seconds)]
    command += ["--corpus", str(corpus / name), "--findings", str(options.findings)]
    with log.open("wb") as stream:
        code = subprocess.run(command, stdout=stream, stderr=stream, check=False).returncode
    lines = log.read_text(errors="replace").splitlines()
    last = next((line for line in reversed(lines) if line.startswith(("#", "Done"))), "")
    print(f"{name}: exit code {code}; {last.strip()}", flush=True)
    if code:
        print("\n".join(lines[-30:]), flush=True)
    return code


def fuzz(name: str, seconds: int, corpus: Path, findings: Path) -> int:
    """Fuzz one target in this process. Does not return: libFuzzer exits."""
    import atheris

    # Only hashkit is instrumented: its dependencies are imported before.
    import hashkit.pipeline.hashing  # noqa: F401

    for module in [module for module in sys.modules if module.split(".")[0] == "hashkit"]:
        del sys.modules[module]
    with atheris.instrument_imports(include=["hashkit"], exclude=_EXCLUDED.get(name, [])):
        from targets import TARGETS

        target = TARGETS[name]
        corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(target.seeds()):
            if len(seed) <= target.max_bytes:
                (corpus / f"seed-{number:03}").write_bytes(seed)
    arguments = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-max_len={target.max_bytes}",
        "-len_control=0",
        f"-timeout={_MAX_SECONDS_PER_INPUT}",
        f"-rss_limit_mb={_MAX_MEGABYTES}",
        f"-artifact_prefix={findings}/{name}-",
        "-print_final_stats=1",
        str(corpus),
    ]
    mutator = {"custom_mutator": target.mutate} if target.mutate else {}
    atheris.Setup(arguments, target.run, **mutator)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
