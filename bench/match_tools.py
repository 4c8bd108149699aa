"""What bench/match.py and its peers share: starting programs, rows of the table, and who found what."""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time


@dataclasses.dataclass
class Run:
    wall: float  # seconds
    cpu: float  # seconds, user and system
    peak: float  # MB, mapped files included, seen every 5 ms
    output: str
    code: int


class TooLong(Exception):
    pass


def high_water(process):
    """The most memory that a program has had, in kB; 0 when it is gone."""
    try:
        text = pathlib.Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM")), 0)


def measure(command, out=None, limit=600, environment=None, good=(0, 1)):
    """Runs a program to its end; its output goes to a file, or into the answer."""
    with tempfile.TemporaryFile() as answer, open(out, "wb") if out else answer as target, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        child = subprocess.Popen([str(part) for part in command], stdout=target, stderr=errors, env={**os.environ, **(environment or {})})
        slow, over, peak = threading.Event(), threading.Event(), [0]

        def watch():
            # Not what wait4 tells: that counts this script's memory, out of which the program was started.
            while not over.wait(0.005):
                peak[0] = max(peak[0], high_water(child.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        timer = threading.Timer(limit, lambda: (slow.set(), os.kill(child.pid, signal.SIGKILL)))
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        timer.cancel()
        over.set()
        watcher.join()
        wall = time.perf_counter() - started
        code = child.returncode = os.waitstatus_to_exitcode(status)
        if slow.is_set():
            raise TooLong(f"more than {limit} s")
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip()
        if code not in good:
            raise RuntimeError(f"{pathlib.Path(command[0]).name} ends with {code}: {said[-300:]}")
        answer.seek(0)
        text = "" if out else answer.read().decode(errors="replace")
        return Run(wall, usage.ru_utime + usage.ru_stime, peak[0] / 1024, text, code)


class scores:
    """Who found what of what was planted."""

    @dataclasses.dataclass
    class Score:
        planted: int = 0
        found: int = 0
        traps: int = 0
        sprung: int = 0

    @dataclasses.dataclass
    class Log:
        kind: str
        seed: int
        path: pathlib.Path
        truth: pathlib.Path

        @property
        def size(self):
            return self.path.stat().st_size

        def planted(self):
            """Line, spelling, indicator, text."""
            with open(self.truth, encoding="utf-8") as rows:
                for row in rows:
                    line, *rest = row.rstrip("\n").split("\t")
                    yield int(line), *rest

    @staticmethod
    def of(log, hit):
        """`hit(line, indicator)` says whether a program found it there."""
        score = scores.Score()
        for line, spelling, indicator, _ in log.planted():
            if spelling.startswith("near-"):
                score.traps += 1
                score.sprung += hit(line, indicator)
            else:
                score.planted += 1
                score.found += hit(line, indicator)
        return score

    @staticmethod
    def json_lines(path, log):
        found = set()
        with open(path, encoding="utf-8") as rows:
            for row in rows:
                hit = json.loads(row)
                found.add((hit["line"], scores.plain(hit["indicator"])))
        return scores.of(log, lambda line, indicator: (line, scores.plain(indicator)) in found)

    @staticmethod
    def plain(indicator):
        """Without what the index may have of it otherwise than the list: case, scheme, a dot or slash at its end; a network of one."""
        return indicator.split("://")[-1].lower().rstrip("./").removesuffix("/32").removesuffix("/128")

    @staticmethod
    def told(output):
        return [json.loads(line) for line in output.splitlines()]


@dataclasses.dataclass
class Row:
    name: str
    speed: dict = dataclasses.field(default_factory=dict)
    two: dict = dataclasses.field(default_factory=dict)
    memory: float = 0
    build: float | None = None
    index: int | None = None
    score: scores.Score | None = None
    why: str = ""  # why there are no figures

    def add(self, score):
        self.score = self.score or scores.Score()
        for field in dataclasses.fields(score):
            setattr(self.score, field.name, getattr(self.score, field.name) + getattr(score, field.name))

    def cells(self):
        def pair(figures):
            return " / ".join(f"{figures[kind]:,.0f}" if kind in figures else "-" for kind in "RS") if figures else ""

        if self.why:
            return f"{self.name} | {self.why} | | | | | |"
        score = self.score
        return " | ".join([
            self.name, pair(self.speed), pair(self.two), f"{self.memory:,.0f} MB" if self.memory else "",
            "" if self.build is None else f"{self.build:,.2f} s", "" if self.index is None else f"{self.index / 1e6:,.1f} MB",
            f"{score.found:,} of {score.planted:,}" if score else "", f"{score.sprung:,} of {score.traps:,}" if score else "",
        ])
