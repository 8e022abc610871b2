"""Settings of targets: resolved with defaults, refused all at once, kept with the build."""

from __future__ import annotations

import pytest
from tinsmith.errors import TinsmithError
from tinsmith.settings import Setting, one_of, positive, resolve

KNOWN = (Setting("interval", "clocks", "64", positive), Setting("mode", "how", "fast", one_of("fast", "small")))


def test_defaults_and_given_values() -> None:
    assert resolve(KNOWN, {"mode": "small"}, "t") == {"interval": "64", "mode": "small"}


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(TinsmithError) as caught:
        resolve(KNOWN, {"intervall": "3", "mode": "quick", "interval": "0"}, "t")
    text = str(caught.value)
    assert "no setting 'intervall'" in text and "--set interval=…" in text
    assert "mode cannot be 'quick'" in text and "one of fast, small" in text
    assert "positive whole number" in text


def test_a_target_without_settings_says_so() -> None:
    with pytest.raises(TinsmithError, match="leave it out"):
        resolve((), {"interval": "1"}, "wasm")
