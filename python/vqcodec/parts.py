# SPDX-License-Identifier: Apache-2.0
"""A data set tokenized in parts by processes of their own, wherever those run: what the cluster engines have in common.

The shards of a set do not depend on who makes them, and a part that was stopped goes on where it was. So an engine hands
out the numbers of parts, and hands one out again whose worker died.
"""
from __future__ import annotations

import ctypes
import dataclasses
import json
import os
import signal
import subprocess
from typing import Any, Sequence, Union

from vqcodec import program
from vqcodec.errors import Error, UsageError

Sources = Union[str, os.PathLike, Sequence[Union[str, os.PathLike]]]

_PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclasses.dataclass(frozen=True)
class Job:
    """`vqcodec tokenize` in a number of parts. Folders and files are those of every machine that runs one."""

    command: tuple[str, ...]
    parts: int

    @classmethod
    def of(cls, sources: Sources, output: Union[str, os.PathLike], *, parts: int, model: str = "", format: str = "",
           shard_size: int = 0, device: str = "", jobs: int = 1, arguments: Sequence[str] = ()) -> Job:
        """What is empty or 0 is left to the program. arguments: further ones of its command line."""
        if parts < 1:
            raise UsageError(f"parts is {parts}; at least 1 is needed")
        several = not isinstance(sources, (str, os.PathLike))
        command = [os.fspath(source) for source in (sources if several else [sources])]
        if not command:
            raise UsageError("there are no sources")
        command += ["-o", os.fspath(output), "-j", str(jobs), *arguments]
        for option, value in (("-m", model), ("--format", format), ("--shard-size", shard_size), ("--device", device)):
            if value:
                command += [option, str(value)]
        return cls(tuple(command), parts)

    def run(self, part: int) -> dict[str, Any]:
        """Makes the shards of one part that are not there yet. Bad items are left out and listed in the manifest.

        Returns what the program reports: items and tokens of the part, and of the set so far.
        """
        done = subprocess.run([program.PATH, "tokenize", *self.command, "--num-shards", str(self.parts), "--shard-index",
                               str(part), "--skip-bad", "--json"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              preexec_fn=_end_with_parent)
        if done.returncode != 0:
            raise Error(f"part {part} of {self.parts}: {done.stderr.strip()[-2000:] or f'exit status {done.returncode}'}")
        return json.loads(done.stdout)

    def finish(self) -> dict[str, Any]:
        """What the program reports of the whole set. Raises Error if a shard is missing."""
        report = self.run(0)
        if not report["complete"]:
            raise Error(f"{report['shards_missing']} of {report['shards']} shards are missing in {report['output']}")
        return report
