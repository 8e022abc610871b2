"""The chip in numpy: executes an image as the accelerator does, bit by bit. Tests compare it with the oracle.

Memories begin with noise, and a load is carried out as early as its descriptor allows: whatever is read before it was
written, or overwritten before it was read, shows.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from tinsmith.errors import TinsmithError

from tinsmith_backends.soc import model_software
from tinsmith_backends.soc.chip import SHIFT, XNOR, Chip
from tinsmith_backends.soc.image import Fields, unpack
from tinsmith_backends.soc.memory_map import ENDING, LOAD_OPCODE, OPCODE, STEP_KIND, TABLES

Int64 = npt.NDArray[np.int64]
Watch = Callable[[int, npt.NDArray[np.uint8]], None]
"""Called before each compute descriptor and at the end: how many have been executed, and the activation memory."""


class Model:
    """A chip with an image in its external memory."""

    def __init__(self, chip: Chip, image: bytes, seed: int = 0) -> None:
        """`seed` is of the noise that memories begin with."""
        rng = np.random.default_rng(seed)
        self.chip = chip
        self.image = unpack(image)
        self.act: npt.NDArray[np.uint8] = rng.integers(0, 256, chip.act_bytes, np.uint8)
        self.weights = rng.integers(-128, 128, (chip.wgt_words, chip.pes, chip.lanes), np.int8)
        self.parameters = rng.integers(-(2**31), 2**31, (chip.par_words, chip.pes, 2)).astype(np.int32)
        self.tables = rng.integers(0, 256, TABLES * 256, np.uint8)
        if self.image.header["identity"] != chip.identity:
            raise TinsmithError("the image is for another chip", why="its identity word differs")
        for step in self.image.steps:
            if step["kind"] == STEP_KIND["BOOT"]:
                self._hardware(step, lambda number, act: None)

    def run(self, frames: list[bytes], watch: Watch | None = None) -> list[bytes]:
        """One inference: the bytes of every output for those of every input."""
        for entry, frame in zip(self.image.inputs, frames, strict=True):
            assert len(frame) == entry["bytes"]
            self.act[entry["base"] : entry["base"] + len(frame)] = np.frombuffer(frame, np.uint8)
        seen = watch or (lambda number, act: None)
        for step in self.image.steps:
            if step["kind"] == STEP_KIND["HARDWARE"]:
                self._hardware(step, seen)
            elif step["kind"] == STEP_KIND["SOFTWARE"]:
                model_software.run(step, self.act, self.image.data)
        seen(len(self.image.computes), self.act)
        return [self.act[each["base"] : each["base"] + each["bytes"]].tobytes() for each in self.image.outputs]

    def _hardware(self, step: Fields, watch: Watch) -> None:
        loads = self.image.loads[step["first_load"] : step["first_load"] + step["load_count"]]
        done = 0
        for number in range(step["compute_count"] + 1):
            while done < len(loads) and loads[done]["after_compute"] <= number:
                self._load(loads[done])
                done += 1
            if number == step["compute_count"]:
                break
            compute = self.image.computes[step["first_compute"] + number]
            if compute["after_load"] > done:
                raise TinsmithError(f"compute {number} waits for a load that waits for it")
            watch(step["first_compute"] + number, self.act)
            self._compute(compute)

    def _load(self, load: Fields) -> None:
        data = self.image.data[load["ext_addr"] : load["ext_addr"] + 4 * load["ext_words"]]
        if zlib.crc32(data) != load["crc32"]:
            raise TinsmithError("the words of a load descriptor do not have its CRC")
        if load["opcode"] == LOAD_OPCODE["WEIGHTS"]:
            words: npt.NDArray[np.generic] = np.frombuffer(data, np.int8).reshape(-1, self.chip.pes, self.chip.lanes)
            self.weights[load["dest"] : load["dest"] + len(words)] = words
        elif load["opcode"] == LOAD_OPCODE["TABLES"]:
            self.tables[4 * load["dest"] : 4 * load["dest"] + len(data)] = np.frombuffer(data, np.uint8)
        else:
            words = np.frombuffer(data, "<i4").reshape(-1, self.chip.pes, 2)
            self.parameters[load["dest"] : load["dest"] + len(words)] = words

    def _compute(self, d: Fields) -> None:
        """All groups of a descriptor; the results are written behind the last of them, which must not matter."""
        results = [self._group(d, group) for group in range(d["groups"])]
        for group, accumulators in enumerate(results):
            self._write(d, group, self._ended(d, group, accumulators))

    def _group(self, d: Fields, group: int) -> Int64:
        """Accumulators (out_h, out_w, elements) of one group."""
        if d["opcode"] == OPCODE["ADD"]:
            return self._addition(d, group)
        if d["history"]:
            return self._filtered(d, group)
        rows, columns = self._places(d, group)
        if d["opcode"] == OPCODE["MAXPOOL"]:
            return self._elements(self._read(d, rows, columns).max(axis=2))
        if d["opcode"] == OPCODE["BITPOOL"]:
            return self._elements(np.bitwise_and.reduce(self._read(d, rows, columns), axis=2))
        bits = self.chip.kind == XNOR
        if bits and d["channelwise"]:
            return self._own_sum(d, group, rows, columns)
        data = self._read_bits(d, rows, columns) if bits else self._read(d, rows, columns)  # (out_h, out_w, K, terms)
        words = data.shape[2]
        base = d["w_base"] + (group * words if d["w_per_group"] else 0)
        weights = self._values(self.weights[base : base + words])  # (K, elements, terms)
        flat = data.reshape(*data.shape[:2], -1).astype(np.float64)
        return (flat @ weights.transpose(0, 2, 1).reshape(-1, self.chip.pes)).astype(np.int64)

    def _own_sum(self, d: Fields, group: int, rows: Int64, columns: Int64) -> Int64:
        """Each element's own bytes, added or subtracted."""
        data = self._elements(self._read(d, rows, columns))  # (out_h, out_w, K, elements)
        words = data.shape[2]
        base = d["w_base"] + (group * words if d["w_per_group"] else 0)
        return np.asarray(np.where(self.weights[base : base + words, :, 0] & 1, -data, data).sum(axis=2))

    def _places(self, d: Fields, group: int) -> tuple[Int64, Int64]:
        """Rows and byte columns (out_h, out_w, K, 1) of the words that the nest of loops reads."""
        oy, ox, ky, kx, r = np.meshgrid(
            *(np.arange(d[name]) for name in ("out_h", "out_w", "kh", "kx_n", "run_n")), indexing="ij"
        )
        rows = oy * d["stride_y"] - d["pad_top"] + ky * d["dil_y"]
        columns = ox * d["stride_xb"] - d["pad_left_b"] + kx * d["dil_xb"] + r * self.chip.lanes
        columns = columns + group * self._moving(d)
        shape = (d["out_h"], d["out_w"], -1, 1)
        return rows.reshape(shape), columns.reshape(shape)

    def _filtered(self, d: Fields, group: int) -> Int64:
        """Depthwise with history: a column after the other; lane j sees the byte of the column j before the newest."""
        stride, kw, lanes = d["history_stride"], d["history_kw"], self.chip.lanes
        columns = (d["out_w"] - 1) * stride + kw
        oy, ky, c = np.meshgrid(np.arange(d["out_h"]), np.arange(d["kh"]), np.arange(columns), indexing="ij")
        rows = oy * d["stride_y"] - d["pad_top"] + ky * d["dil_y"]
        places = c * d["dil_xb"] - d["pad_left_b"] + group * self._moving(d)
        data = self._elements(self._read(d, rows[..., None], places[..., None]))  # (out_h, kh, columns, elements)
        base = d["w_base"] + (group * d["kh"] if d["w_per_group"] else 0)
        weights = self._values(self.weights[base : base + d["kh"]]).astype(np.int64)  # (kh, elements, lanes)
        total = np.zeros((d["out_h"], d["out_w"], self.chip.pes), np.int64)
        for lane in range(min(kw, lanes)):
            newest = np.arange(d["out_w"]) * stride + kw - 1 - lane
            total += np.einsum("yxcp,xp->ycp", data[:, :, newest], weights[:, :, lane])
        return total

    def _addition(self, d: Fields, group: int) -> Int64:
        vector = self.chip.vector
        count = d["last_count"] if group == d["groups"] - 1 else vector
        total = np.zeros((1, 1, self.chip.pes), np.int64)
        operands = (("in_base", "m_a", "in_signed", "pad_byte"), ("in2_base", "m_b", "in2_signed", "in2_zero"))
        for base, factor, signed, zero in operands:
            place = d[base] + group * vector
            values = np.append(self.act[place : place + count], np.uint8(d[zero]))
            true = values.view(np.int8 if d[signed] else np.uint8).astype(np.int64)
            total[0, 0, :count] += d[factor] * (true[:-1] - true[-1])
        return total

    def _values(self, words: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
        """What the weights of these words mean, a number a lane, or eight."""
        if self.chip.kind == XNOR:
            return _signs(words.view(np.uint8)).astype(np.float64)
        if self.chip.kind == SHIFT:
            size = np.where(words & 16, 1 << (words & 7).astype(np.int64), 0)
            return np.where(words & 8, -size, size).astype(np.float64)
        return words.astype(np.float64)

    def _read(self, d: Fields, rows: Int64, columns: Int64) -> Int64:
        """The lanes of the words at these places, as numbers; of 16-bit values, low bytes and 256 times high ones."""
        data, _ = self._bytes(d, rows, columns)
        values = data.view(np.int8 if d["in_signed"] else np.uint8).astype(np.int64)
        if not d["wide_in"]:
            return values
        low = np.arange(self.chip.lanes) % 2 == 0
        return np.where(low, data.astype(np.int64), 256 * values)

    def _read_bits(self, d: Fields, rows: Int64, columns: Int64) -> Int64:
        """The bits of the lanes, +1 and -1, or 0 where they add nothing."""
        data, inside = self._bytes(d, rows, columns)
        lane = np.arange(self.chip.lanes)
        last = np.arange(rows.shape[2]) % d["run_n"] == d["run_n"] - 1
        counts = (lane < (d["run_last"] or self.chip.lanes)) | ~last[:, None]
        counts = counts & (inside | (not d["pad_none"]))
        return np.asarray(_signs(data) * np.repeat(counts, 8, axis=-1))

    def _bytes(self, d: Fields, rows: Int64, columns: Int64) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
        """The lanes of the words at these places, and whether they lie inside the image."""
        lane = columns + np.arange(self.chip.lanes)
        inside = (rows >= 0) & (rows < d["in_h"]) & (lane >= 0) & (lane < d["in_row_bytes"])
        address = np.where(inside, d["in_base"] + rows * d["in_row_bytes"] + lane, 0) % self.chip.act_bytes
        return np.where(inside, self.act[address], np.uint8(d["pad_byte"])), inside

    def _elements(self, lanes: Int64) -> Int64:
        """The byte of each element, with the last axis from lanes to elements."""
        found = np.zeros((*lanes.shape[:-1], self.chip.pes), np.int64)
        found[..., : self.chip.vector] = lanes[..., : self.chip.vector]
        return found

    def _channels(self, d: Fields) -> int:
        """Output channels of a group but the last."""
        return (self._moving(d) >> d["wide_in"]) or self.chip.pes

    def _moving(self, d: Fields) -> int:
        """Bytes by which columns move on with the group."""
        return self.chip.vector if d["channelwise"] or d["opcode"] != OPCODE["CONV"] else 0

    def _ended(self, d: Fields, group: int, accumulators: Int64) -> npt.NDArray[np.generic]:
        """Output values (out_h, out_w, elements), as bytes or int32, or True for bits that are 1."""
        if d["opcode"] == OPCODE["ADD"]:
            return self._looked_up(d, _rescaled(accumulators, d))
        bias, multiplier = self.parameters[d["p_base"] + group].astype(np.int64).T
        sums: npt.NDArray[np.int32] = (accumulators + bias).astype(np.int32)
        if d["ending"] == ENDING["RAW"]:
            return sums
        if d["ending"] == ENDING["THRESHOLD"]:
            if self.chip.kind == XNOR:
                return np.asarray(sums < 0)
            signs: npt.NDArray[np.int8] = np.where(sums >= 0, 1, -1).astype(np.int8)
            return signs
        return self._looked_up(d, _rescaled(sums.astype(np.int64) * multiplier, d))

    def _looked_up(self, d: Fields, values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """The entries of the descriptor's table, or the values themselves."""
        return self.tables[256 * d["table"] + values.astype(np.int64)] if d["look_up"] else values

    def _write(self, d: Fields, group: int, values: npt.NDArray[np.generic]) -> None:
        width = self._channels(d)
        count = d["last_count"] if group == d["groups"] - 1 else width
        kept = np.ascontiguousarray(values[..., :count])
        if values.dtype == np.bool_:
            data, before = np.packbits(kept, axis=-1, bitorder="little"), group * width // 8
        else:
            data = kept.view(np.uint8).reshape(d["out_h"], d["out_w"], -1)
            before = group * width * values.dtype.itemsize
        rows = np.arange(d["out_h"])[:, None, None] * d["out_row_bytes"]
        pixels = np.arange(d["out_w"])[None, :, None] * d["out_pix_bytes"]
        self.act[d["out_base"] + before + rows + pixels + np.arange(data.shape[-1])] = data


def _signs(data: npt.NDArray[np.uint8]) -> Int64:
    """+1 and -1 of bytes of eight bits, along the last axis."""
    return 1 - 2 * np.unpackbits(data, axis=-1, bitorder="little").astype(np.int64)


def _rescaled(products: Int64, d: Mapping[str, int]) -> npt.NDArray[np.generic]:
    """Requantized: bytes, or int16."""
    shifted = (products + (1 << (d["shift"] - 1))) >> d["shift"]
    values = np.clip(shifted, d["lo"], d["hi"]) + d["zero"]
    return np.asarray(values.astype("<i2") if d["wide_out"] else (values & 0xFF).astype(np.uint8))
