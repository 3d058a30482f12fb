"""HashX of all 65536 inputs of Equi-X at once, with numpy (spec: equix.md, 7, 8 and 13).

One row of lanes per register; the inputs are done in pieces, small enough that the rows stay in the processor's caches, and large
enough that the fixed cost of a numpy call does not count. Lanes that jump are gathered into narrower rows, run through the loop's
body there, and scattered back.
"""

from typing import Final, NamedTuple

import numpy as np

from xirtam_core.directory.pow.hashx import HashX
from xirtam_core.directory.pow.numpy_calls import (
    NUMBERS,
    Call,
    Row,
    Rows,
    compile_instructions,
    constant,
    replay,
    sip_round,
    sip_round_first_word,
)
from xirtam_core.directory.pow.program import BLOCK_LENGTH, BRANCH_AT, FLAG_AT, TARGET_AT, Program
from xirtam_core.directory.pow.siphash import Words4

INPUTS: Final = 1 << 16
_LANES: Final = 1 << 15
# A branch is taken by about a sixteenth of the lanes; by more in some programs, and then the narrow rows are used more than once.
_NARROW_LANES: Final = _LANES // 16 + 256


class _Block(NamedTuple):
    """The calls of one of the 16 blocks of a program, cut where lanes are tested and where they jump."""

    until_flag: list[Call]
    flag: Row
    mask: Row
    until_branch: list[Call]
    loop: list[Call]
    """What a lane that jumps does again, on the narrow rows."""
    loop_registers: list[int]
    after: list[Call]


class Hasher:
    """Computes all hashes of one function after another in the same memory. Not to be shared between threads."""

    def __init__(self) -> None:
        self._rows = Rows.of_width(_LANES)
        self._narrow = Rows.of_width(_NARROW_LANES)
        self._inputs = np.empty(_LANES, dtype=np.uint64)
        self._jumps = np.empty(_LANES, dtype=np.bool_)
        self._has_not_jumped = np.empty(_LANES, dtype=np.bool_)
        self._hashes = np.empty(INPUTS, dtype=np.uint64)

    def hash_all(self, hashx: HashX) -> Row:
        """The hash values of the inputs 0 to 65535, in a row that is overwritten by the next call."""
        expand = self._expand(hashx.key_b)
        blocks = self._blocks(hashx.program)
        for first in range(0, INPUTS, _LANES):
            self._inputs[:] = np.arange(first, first + _LANES, dtype=np.uint64)
            for register, word in zip(self._rows.registers, hashx.key_b, strict=False):
                register.fill(word)
            replay(expand)
            self._run(blocks)
            replay(self._finish(hashx.key_b, self._hashes[first : first + _LANES]))
        return self._hashes

    def _expand(self, key: Words4) -> list[Call]:
        """EXPAND, from the key's words in the first four registers."""
        n = self._inputs
        *registers, r4, r5, r6, r7 = self._rows.registers
        a, b, c, d = registers
        scratch = self._rows.scratch[0]
        round_of_low = sip_round(a, b, c, d, scratch)
        copies: list[Call] = [
            (np.bitwise_or, low, NUMBERS[0], high) for low, high in zip(registers, (r4, r5, r6, r7), strict=True)
        ]
        return [
            (np.bitwise_xor, b, constant(0xEE), b),
            (np.bitwise_xor, d, n, d),
            *round_of_low * 2,
            (np.bitwise_xor, a, n, a),
            (np.bitwise_xor, c, constant(0xEE), c),
            *round_of_low * 4,
            *copies,
            (np.bitwise_xor, r5, constant(0xDD), r5),
            *sip_round(r4, r5, r6, r7, scratch) * 4,
        ]

    def _blocks(self, program: Program) -> list[_Block]:
        rows = self._rows
        blocks: list[_Block] = []
        for start in range(0, len(program), BLOCK_LENGTH):
            block = program[start : start + BLOCK_LENGTH]
            loop = block[TARGET_AT + 1 : BRANCH_AT]
            blocks.append(
                _Block(
                    until_flag=compile_instructions(block[: FLAG_AT + 1], rows),
                    flag=rows.registers[block[FLAG_AT].dst],
                    mask=constant(block[BRANCH_AT].imm),
                    until_branch=compile_instructions(block[FLAG_AT + 1 : BRANCH_AT], rows),
                    loop=compile_instructions(loop, self._narrow),
                    loop_registers=sorted({i.dst for i in loop} | {i.src for i in loop if i.template.source}),
                    after=compile_instructions(block[BRANCH_AT + 1 :], rows),
                )
            )
        return blocks

    def _run(self, blocks: list[_Block]) -> None:
        jumps, has_not_jumped, scratch = self._jumps, self._has_not_jumped, self._rows.scratch[0]
        has_not_jumped.fill(True)
        for block in blocks:
            replay(block.until_flag)
            np.bitwise_and(block.flag, block.mask, scratch)
            np.equal(scratch, NUMBERS[0], jumps)
            np.bitwise_and(jumps, has_not_jumped, jumps)
            replay(block.until_branch)
            np.bitwise_xor(has_not_jumped, jumps, has_not_jumped)
            lanes = np.flatnonzero(jumps)
            for start in range(0, len(lanes), _NARROW_LANES):
                self._loop(block, lanes[start : start + _NARROW_LANES])
            replay(block.after)

    def _loop(self, block: _Block, lanes: Row) -> None:
        """Runs the loop's body once more on some lanes. The rest of the narrow rows holds leftovers, which do no harm."""
        wide, narrow = self._rows.registers, self._narrow.registers
        for register in block.loop_registers:
            # With another mode than "clip", numpy would make a copy first.
            wide[register].take(lanes, out=narrow[register][: len(lanes)], mode="clip")
        replay(block.loop)
        for register in block.loop_registers:
            wide[register][lanes] = narrow[register][: len(lanes)]

    def _finish(self, key: Words4, hashes: Row) -> list[Call]:
        r0, r1, r2, r3, r4, r5, r6, r7 = self._rows.registers
        scratch = self._rows.scratch[0]
        return [
            *[(np.add, row, constant(word), row) for row, word in zip((r0, r1, r6, r7), key, strict=True)],
            *sip_round_first_word(r0, r1, r2, r3, scratch),
            *sip_round_first_word(r4, r5, r6, r7, scratch),
            (np.bitwise_xor, r0, r4, hashes),
        ]
