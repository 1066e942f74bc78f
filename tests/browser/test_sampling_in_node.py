"""The engine places and samples frames as Python does, to the last bit of every number."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hashkit.media.sampling import Sampler, frame_step
from hashkit.media.timeline import StampChooser, Timeline

pytestmark = pytest.mark.test_all

ANSWERS = Path(__file__).with_name("timeline_answers.js")
SEQUENCES = 400

rates = st.sampled_from([24, 25, 30, 50, 60, 24000 / 1001, 30000 / 1001, 7.5, 1, 12.34, 240, 0.4])
intervals = st.sampled_from([0, 1, 1.0, 0.5, 0.1, 2, 1 / 3, 0.04, 10, 0.7])
steps = st.one_of(
    st.sampled_from([0.04, 1 / 30, 1001 / 30000, 0.5, 1.0, 0.001, 0.0, -0.04, -2.0, 30.0, 90000.0]),
    st.floats(-3, 12),
)
durations = st.one_of(st.just(0.0), st.sampled_from([0.04, 1 / 30, 5.0, 1e-7]), st.floats(0, 3))


@st.composite
def sequences(draw: st.DrawFn) -> dict[str, Any]:
    rate = draw(rates)
    count = draw(st.integers(1, 40))
    even = draw(st.booleans())
    start = draw(st.sampled_from([0.0, 0.08, -0.5, -1e-6, 1.4]))
    frames, shown = [], start
    for number in range(count):
        decoded = draw(st.one_of(st.none(), st.just(shown), st.floats(-1, 20)))
        frames.append(
            {
                "shown": draw(st.sampled_from([shown, shown, shown, None])),
                "decoded": decoded,
                "duration": 1 / rate if even else draw(durations),
            }
        )
        shown = start + (number + 1) / rate if even else shown + draw(steps)
    return {
        "rate": rate,
        "maxGap": draw(st.sampled_from([10.0, 86400.0])),
        "back": draw(st.sampled_from([0.1, 1.0])),
        "interval": draw(intervals),
        "constantRate": draw(st.one_of(st.none(), st.just(rate), rates)),
        "frames": frames,
        "passed": [
            draw(st.sampled_from([None, None, None, number / 20])) for number in range(count)
        ],
    }


def python_answer(job: dict[str, Any]) -> dict[str, Any]:
    timeline = Timeline(job["rate"], job["maxGap"], job["back"])
    chooser = StampChooser()
    sampler = Sampler[Any](job["interval"], job["constantRate"])
    times, taken = [], []
    for number, (frame, passed) in enumerate(zip(job["frames"], job["passed"], strict=True)):
        duration = frame["duration"]
        time = timeline.place(chooser.choose(frame["shown"], frame["decoded"]), duration)
        if passed is not None:
            timeline.pass_by(passed)
        timed = SimpleNamespace(number=number, timestamp=time, duration=duration)
        taken += [each.number for each in sampler.take(timed)]
        times.append(time)
    taken += [each.number for each in sampler.finish()]
    return {
        "times": times,
        "taken": taken,
        "isMended": timeline.is_mended,
        "counts": sampler.counts,
        "every": frame_step(job["interval"], job["rate"]),
    }


def test_many_sequences_at_once() -> None:
    jobs: list[dict[str, Any]] = []

    @settings(
        max_examples=SEQUENCES,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # what differs is shown whole
        suppress_health_check=list(HealthCheck),
    )
    @given(sequences())
    def collect(job: dict[str, Any]) -> None:
        jobs.append(job)

    collect()
    assert len(jobs) >= SEQUENCES
    done = subprocess.run(
        ["node", str(ANSWERS)], input=json.dumps(jobs), capture_output=True, text=True, check=True
    )
    for job, answer in zip(jobs, json.loads(done.stdout), strict=True):
        assert answer == python_answer(job), job
