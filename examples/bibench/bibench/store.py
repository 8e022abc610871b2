"""Results on disk, a JSON line each: what is there is not computed again."""

from __future__ import annotations

import json
from pathlib import Path

from bibench.track import Job, Result, Results

FILE_NAME = "results.jsonl"


class Store:
    """The results in a folder. A last line that an interruption cut off is dropped, and its job runs again."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / FILE_NAME
        self._found: dict[str, Result] = {}
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        for line in whole.splitlines():
            entry = json.loads(line)
            self._found[entry["key"]] = entry["result"]
        if whole != text:
            self._path.write_text(whole, encoding="utf-8")

    @property
    def results(self) -> Results:
        """Everything so far, by key."""
        return self._found

    def missing(self, jobs: list[Job]) -> list[Job]:
        """Those of `jobs` without a result, each key once."""
        unique = {job.key: job for job in jobs}
        return [job for key, job in unique.items() if key not in self._found]

    def run(self, job: Job) -> None:
        """Do a job and keep its result."""
        result = job.run()
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": job.key, "result": result}) + "\n")
        self._found[job.key] = result
