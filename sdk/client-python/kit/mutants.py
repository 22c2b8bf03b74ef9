"""Plays the kit's scenarios with this library, then with mutants of it, each of which must fail at least one.

A kit that a library without an outbox passes would say nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent / "src"


@dataclass(frozen=True)
class Mutant:
    """What is taken away of the library, where, and which scenarios are played without it."""

    name: str
    file: str
    old: str
    new: str
    scenarios: tuple[str, ...]


MUTANTS = (
    Mutant(
        "no-outbox",
        "core/outbox.py",
        "            lane.on_its_way = False\n            lane.not_before = 0.0\n        return failed\n",
        "            failed += [self._fail(lane, it, _in_doubt()) for it in [*lane.items]]\n        return failed\n",
        ("retry-same-id", "outbox"),
    ),
    Mutant(
        "no-probe",
        "core/probe.py",
        "        self._looked = now\n        if slept",
        '        self._looked = now\n        if now > 0:\n            return "fine"\n        if slept',
        ("silent-after-request", "silent-beyond-interval"),
    ),
    Mutant(
        "no-jitter",
        "core/backoff.py",
        "return least + random * most",
        "return least + most",
        ("storm",),
    ),
)


def kit(scenarios: tuple[str, ...], source: Path) -> subprocess.CompletedProcess[str]:
    """Plays scenarios, all unless they are named, with the library that is there."""
    named = ("--", *scenarios) if scenarios else ()
    command = ("node", str(HERE / "../../kit/kit.mjs"), sys.executable, str(HERE / "driver.py"), *named)
    environment = {**os.environ, "PYTHONPATH": str(source)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def play(mutant: Mutant) -> bool:
    """Whether the kit notices it."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(SOURCE, source)
        path = source / "sluice_client" / mutant.file
        text = path.read_text()
        if mutant.old not in text:
            sys.exit(f"the mutant {mutant.name} has nothing to change in {mutant.file}: mend kit/mutants.py")
        path.write_text(text.replace(mutant.old, mutant.new, 1))
        noticed = kit(mutant.scenarios, source).returncode == 1
    scenarios = " and ".join(mutant.scenarios)
    print(f"✔ {mutant.name} fails" if noticed else f"✖ {mutant.name} passes {scenarios}, which should notice it")
    return noticed


def main() -> int:
    whole = kit((), SOURCE)
    print(whole.stdout + whole.stderr, end="")
    with ThreadPoolExecutor() as pool:
        noticed = list(pool.map(play, MUTANTS))
    return whole.returncode or (0 if all(noticed) else 1)


if __name__ == "__main__":
    sys.exit(main())
