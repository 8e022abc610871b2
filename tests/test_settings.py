"""Settings of targets: resolved with defaults, refused all at once, kept with the build."""

from __future__ import annotations

import pytest
from tinsmith.errors import TinsmithError
from tinsmith.settings import Setting, check_layers, from_table, of_layer, one_of, overlaid, positive, resolve

KNOWN = (
    Setting("interval", "clocks", "64", positive),
    Setting("mode", "how", "fast", one_of("fast", "small"), layers=True),
    Setting("reuse", "how often", "1", positive, layers=True),
)


def test_defaults_and_given_values() -> None:
    expected = {"interval": "64", "mode": "small", "reuse": "1"}
    assert resolve(KNOWN, {"mode": "small", "mode@conv*": "fast"}, "t") == expected


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


def test_single_layers_are_told_by_pattern_and_the_later_one_wins() -> None:
    given = {"reuse@conv1": "9", "reuse": "2", "reuse@conv*": "4", "mode@conv1": "small"}
    resolve(KNOWN, given, "t")
    assert of_layer(KNOWN, given, "fc") == {"mode": "fast", "reuse": "2"}
    assert of_layer(KNOWN, given, "conv1") == {"mode": "small", "reuse": "4"}
    assert of_layer(KNOWN, overlaid(given, {"reuse@conv1": "3"}), "conv1") == {"mode": "small", "reuse": "3"}


def test_a_table_of_a_recipe_says_the_same() -> None:
    table = {"interval": 32, "layers": {"conv*": {"reuse": 4, "mode": "small"}, "fc": {"reuse": True}}}
    assert from_table(table) == {"interval": "32", "reuse@conv*": "4", "mode@conv*": "small", "reuse@fc": "true"}
    for wrong in ({"layers": 3}, {"layers": {"fc": 3}}, {"reuse": [1]}):
        with pytest.raises(ValueError, match="and not a t"):
            from_table(wrong)


def test_what_single_layers_cannot_be_told_is_refused_all_at_once() -> None:
    with pytest.raises(TinsmithError) as caught:
        resolve(KNOWN, {"interval@conv": "3", "reuse@conv": "0", "reuse@": "2", "fold@conv": "1"}, "t")
    text = str(caught.value)
    for part in ("interval cannot be set for 'conv'", "reuse@conv cannot be '0'", "pattern is empty", "setting 'fold'"):
        assert part in text
    assert len(caught.value.problems) == 4


def test_a_pattern_that_matches_no_layer_is_refused_with_the_nearest() -> None:
    check_layers({"reuse": "2", "reuse@conv*": "4", "mode@a[0]": "fast"}, ["conv1", "a[0]"])
    with pytest.raises(TinsmithError, match=r"no layer matches 'cnov1'[\s\S]*nearest: 'conv1'"):
        check_layers({"reuse@cnov1": "4"}, ["conv1", "fc"])
