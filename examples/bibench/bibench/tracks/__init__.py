"""The tracks, one file each."""

from bibench.track import Track
from bibench.tracks import architecture, complexity, consumption, corruption, hardware, task

TRACKS: tuple[Track, ...] = (
    task.TRACK,
    architecture.TRACK,
    corruption.TRACK,
    consumption.TRACK,
    complexity.TRACK,
    hardware.TRACK,
)
