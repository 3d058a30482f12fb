"""HashX: the 64-bit hash functions that challenges stand for, in plain Python for the few inputs that verifying needs (spec:
equix.md, 7 and 8). For all inputs of Equi-X there is hashx_numpy.py.
"""

from collections.abc import Sequence
from operator import mul
from typing import NamedTuple

from xirtam_core.directory.pow.lanes import MASK64, Lanes
from xirtam_core.directory.pow.program import (
    ADDI,
    ADDSH,
    BLOCK_LENGTH,
    BLOCKS,
    BRANCH_AT,
    MUL,
    MULHS,
    MULHU,
    ROR,
    SUB,
    TARGET_AT,
    XOR,
    XORI,
    Instruction,
    Program,
    generate,
)
from xirtam_core.directory.pow.siphash import Words4, expand, keys_of, sip_round


class Runs(NamedTuple):
    """How the runs of a program on some inputs ended."""

    registers: list[int]
    """The eight registers; each holds a lane for each input."""
    jumped_in: list[int | None]
    """For each input, the block (0 to 15) whose branch was taken; None if none was."""


class HashX(NamedTuple):
    """The function of one challenge."""

    program: Program
    key_b: Words4

    @classmethod
    def find_for(cls, challenge: bytes) -> "HashX | None":
        """The function of `challenge`; None if the challenge is unusable."""
        keys = keys_of(challenge)
        program = generate(keys.a)
        return None if program is None else cls(program, keys.b)

    def hashes(self, inputs: Sequence[int]) -> list[int]:
        """The 64-bit hash value of each of the 64-bit `inputs`. Takes about half a millisecond for eight."""
        lanes = Lanes(len(inputs))
        r0, r1, r2, r3, r4, r5, r6, r7 = self.run(inputs).registers
        k0, k1, k2, k3 = (word * lanes.ones for word in self.key_b)
        low = sip_round((r0 + k0) & lanes.mask, (r1 + k1) & lanes.mask, r2, r3, lanes.mask)
        high = sip_round(r4, r5, (r6 + k2) & lanes.mask, (r7 + k3) & lanes.mask, lanes.mask)
        return list(lanes.unpack(low[0] ^ high[0]))

    def run(self, inputs: Sequence[int]) -> Runs:
        """Runs the program on all `inputs`, side by side. A run jumps once at most, back to its block's target."""
        lanes = Lanes(len(inputs))
        registers = expand(self.key_b, lanes.pack(inputs), lanes)
        jumped_in: list[int | None] = [None] * len(inputs)
        for block in range(BLOCKS):
            start = BLOCK_LENGTH * block
            target, branch = start + TARGET_AT, start + BRANCH_AT
            flags = _execute(self.program[start:branch], registers, lanes)
            mask = self.program[branch].imm
            jumps = [not flag & mask and jumped is None for flag, jumped in zip(flags, jumped_in, strict=True)]
            if any(jumps):
                # All go through the loop again, and only those that jump keep what they get there.
                again = registers.copy()
                _execute(self.program[target:branch], again, lanes)
                jumping = lanes.pack(jumps) * MASK64
                registers = [old ^ (old ^ new) & jumping for old, new in zip(registers, again, strict=True)]
                jumped_in = [block if jump else jumped for jump, jumped in zip(jumps, jumped_in, strict=True)]
            _execute(self.program[branch : start + BLOCK_LENGTH], registers, lanes)
        return Runs(registers, jumped_in)


def _execute(instructions: list[Instruction], r: list[int], lanes: Lanes) -> Sequence[int]:
    """Runs instructions without a jump on the registers `r`. Gives the flag words: what the last wide multiplication made."""
    ones, mask, overflow, pack, unpack = lanes.ones, lanes.mask, lanes.overflow, lanes.pack, lanes.unpack
    flags: Sequence[int] = ()
    for template, dst, src, imm in instructions:
        if template is MUL:
            r[dst] = pack([product & MASK64 for product in map(mul, unpack(r[dst]), unpack(r[src]))])
        elif template is XORI:
            r[dst] ^= imm * ones
        elif template is ADDI:
            r[dst] = (r[dst] + imm * ones) & mask
        elif template is SUB:
            r[dst] = ((r[dst] | overflow) - r[src]) & mask
        elif template is XOR:
            r[dst] ^= r[src]
        elif template is ADDSH:
            r[dst] = (r[dst] + (r[src] << imm)) & mask
        elif template is ROR:
            r[dst] = (r[dst] >> imm | r[dst] << (64 - imm)) & mask
        elif template is MULHU:
            flags = [product >> 64 for product in map(mul, unpack(r[dst]), unpack(r[src]))]
            r[dst] = pack(flags)
        elif template is MULHS:
            products = map(mul, map(_signed, unpack(r[dst])), map(_signed, unpack(r[src])))
            flags = [product >> 64 & MASK64 for product in products]
            r[dst] = pack(flags)
    return flags


def _signed(word: int) -> int:
    """A 64-bit word as the two's complement number that it stands for."""
    return word - (word >> 63 << 64)
