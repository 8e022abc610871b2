"""recipe.toml: what it accepts, what it means, and what it says of mistakes."""

import re
from pathlib import Path

import pytest
from tinsmith.errors import TinsmithError
from tinsmith.recipe import LayerOverride, Recipe, load_recipe, parse_recipe

DOCS = Path(__file__).parents[1] / "docs"


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def test_a_whole_recipe_is_read(tmp_path: Path) -> None:
    recipe = load_recipe(
        write(
            tmp_path,
            """
            calibrator = "percentile"
            percentile = 100
            [layers."stage1.*"]
            asymmetric = true
            [layers."stage1.conv2"]
            calibrator = "min-max"
            range = [-1, 2.5]
            """,
        )
    )
    first, second, other = (recipe.settings([name]) for name in ("stage1.conv1", "stage1.conv2", "fc"))
    assert (first.calibrator, first.asymmetric, first.range, first.percentile) == ("percentile", True, None, 100)
    assert (second.calibrator, second.asymmetric, second.range) == ("min-max", True, [-1, 2.5])
    assert (other.calibrator, other.asymmetric) == ("percentile", False)


def test_no_file_is_the_default_recipe() -> None:
    assert load_recipe(None) == Recipe()


def test_later_patterns_win_key_by_key_and_any_name_of_a_group_counts() -> None:
    table = {"layers": {"conv*": {"asymmetric": True, "calibrator": "mse"}, "relu": {"asymmetric": False}}}
    found = parse_recipe(table | {"calibrator": "min-max"}).settings(["conv1", "relu"])
    assert (found.asymmetric, found.calibrator) == (False, "mse")


def test_a_layers_own_name_insists_on_16_bits_and_a_pattern_does_not() -> None:
    table = {"activations": "16-bit", "layers": {"c1": {"activations": "16-bit"}, "d*": {"activations": "8-bit"}}}
    first, second, third = (parse_recipe(table).settings([name]) for name in ("c1", "c2", "d1"))
    assert (first.activations, first.insists) == ("16-bit", True)
    assert (second.activations, second.insists) == ("16-bit", False)
    assert third.activations == "8-bit"
    with pytest.raises(TinsmithError, match="activations = 16"):
        parse_recipe({"activations": 16})


def test_targets_are_told_by_tables_of_their_own() -> None:
    table = {"hls-*": {"reuse": 2, "layers": {"fc": {"reuse": 8}}}, "hls-vitis": {"reuse": 4}, "rtl-*": {"interval": 9}}
    recipe = parse_recipe({"targets": table})
    assert recipe.told("hls-vitis") == {"reuse@fc": "8", "reuse": "4"} and recipe.told("wasm") == {}
    assert not recipe.quantizes and parse_recipe({"targets": table, "bits": 8}).quantizes
    recipe.check_targets(["hls-vitis", "rtl-verilog"])
    with pytest.raises(TinsmithError, match=r"no target matches 'rtl-\*'"):
        recipe.check_targets(["hls-vitis", "wasm"])
    with pytest.raises(TinsmithError, match="and not a table"):
        parse_recipe({"targets": {"rtl-*": {"layers": 1}}})


def test_powers_of_two_have_one_scale_a_tensor() -> None:
    recipe = parse_recipe({"scales": "power-of-two", "layers": {"a": {"asymmetric": True}}})
    assert recipe.settings(["a"]).weights == "per-tensor" and recipe.settings(["a"]).powers_of_two
    for table in ({"weights": "per-channel"}, {"layers": {"a": {"weights": "per-channel"}}}):
        with pytest.raises(TinsmithError, match="all channels share one shift"):
            parse_recipe({"scales": "power-of-two"} | table)


def test_names_with_brackets_match_as_they_are() -> None:
    parse_recipe({"layers": {"blocks[0].conv": {}}}).check_patterns(["blocks[0].conv"])


def test_every_mistake_is_reported_at_once(tmp_path: Path) -> None:
    text = """
    calibrater = "mse"
    percentile = 101
    bits = 4
    weights = "per-row"
    [layers.conv1]
    asymetric = true
    range = [2, 1]
    [layers.conv2]
    asymmetric = "yes"
    range = [1, 2, 3]
    """
    with pytest.raises(TinsmithError) as caught:
        load_recipe(write(tmp_path, text))
    lines = [str(problem) for problem in caught.value.problems]
    assert len(lines) == 7
    together = "\n".join(lines)
    for part in (
        "unknown key 'calibrater'",
        "did you mean 'calibrator'?",
        "percentile = 101",
        "cannot be made 4 bit after training; train it with tinsmith.train.shift",
        "weights = 'per-row'",
        "did you mean 'asymmetric'?",
        "asymmetric = 'yes'",
    ):
        assert part in together
    assert all(str(tmp_path) in line for line in lines)
    assert sum("range = [" in line for line in lines) == 1  # conv1's range is judged once its keys are right


@pytest.mark.parametrize(("bits", "fix"), [(1, "binarize"), (2, "shift"), (3, "shift")])
def test_fewer_bits_are_refused_with_the_trainer_that_makes_them(bits: int, fix: str) -> None:
    with pytest.raises(TinsmithError, match=rf"made {bits} bit after training; train it with tinsmith\.train\.{fix}"):
        parse_recipe({"layers": {"a": {"bits": bits}}})


def test_a_range_must_rise() -> None:
    with pytest.raises(TinsmithError, match=r"range \[2\.0, 1\.0\] is not \[low, high\]"):
        parse_recipe({"layers": {"a": {"range": [2.0, 1.0]}}})
    with pytest.raises(TinsmithError, match="range"):
        parse_recipe({"layers": {"a": {"range": [0.0, float("inf")]}}})


@pytest.mark.parametrize("text", ["calibrator = ", "\xff", "layers = 3"])
def test_text_that_is_no_recipe_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(TinsmithError, match=re.escape(str(path))):
        load_recipe(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TinsmithError, match=r"nowhere\.toml"):
        load_recipe(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("model", [Recipe, LayerOverride])
def test_the_documentation_names_every_key_and_default(model: type[Recipe] | type[LayerOverride]) -> None:
    text = (DOCS / "recipe.md").read_text()
    for key, field in model.model_fields.items():
        assert field.description, f"{key} has no description"
        row = re.search(rf"^\| `{key}` \|.*$", text, re.MULTILINE)
        assert row, f"docs/recipe.md has no row for {key}"
        if model is Recipe and key not in ("layers", "targets"):
            default = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
            assert f"`{default}`" in row[0].replace('"', ""), row[0]


def test_the_example_in_the_documentation_is_a_recipe() -> None:
    text = (DOCS / "recipe.md").read_text()
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert blocks
    import tomllib

    for block in blocks:
        parse_recipe(tomllib.loads(block))
