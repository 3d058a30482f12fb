"""HashX: the 64-bit hash functions that challenges stand for, one input at a time (spec: equix.md, 7 and 8)."""

from typing import NamedTuple

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
from xirtam_core.directory.pow.siphash import MASK64, Words4, expand, keys_of, sip_round


class Run(NamedTuple):
    """How a run of a program ended."""

    registers: list[int]
    jumped_in: int | None
    """The block (0 to 15) whose branch was taken; None if none was."""


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

    def hash(self, n: int) -> int:
        """The 64-bit hash value of the 64-bit input `n`."""
        r = self.run(n).registers
        k0, k1, k2, k3 = self.key_b
        low = sip_round((r[0] + k0) & MASK64, (r[1] + k1) & MASK64, r[2], r[3])
        high = sip_round(r[4], r[5], (r[6] + k2) & MASK64, (r[7] + k3) & MASK64)
        return low[0] ^ high[0]

    def run(self, n: int) -> Run:
        """The registers that the program leaves for the 64-bit input `n`. A run jumps once at most, back to its block's target."""
        registers = expand(self.key_b, n)
        jumped_in: int | None = None
        for block in range(BLOCKS):
            start = BLOCK_LENGTH * block
            target, branch = start + TARGET_AT, start + BRANCH_AT
            flag = _execute(self.program[start:branch], registers)
            if jumped_in is None and not flag & self.program[branch].imm:
                jumped_in = block
                _execute(self.program[target:branch], registers)
            _execute(self.program[branch : start + BLOCK_LENGTH], registers)
        return Run(registers, jumped_in)


def _execute(instructions: list[Instruction], r: list[int]) -> int:
    """Runs instructions without a jump on the registers `r`. Gives the flag word: the result of the last wide multiplication."""
    flag = 0
    for template, dst, src, imm in instructions:
        if template is MUL:
            r[dst] = r[dst] * r[src] & MASK64
        elif template is XORI:
            r[dst] ^= imm
        elif template is ADDI:
            r[dst] = (r[dst] + imm) & MASK64
        elif template is SUB:
            r[dst] = (r[dst] - r[src]) & MASK64
        elif template is XOR:
            r[dst] ^= r[src]
        elif template is ADDSH:
            r[dst] = (r[dst] + (r[src] << imm)) & MASK64
        elif template is ROR:
            r[dst] = (r[dst] >> imm | r[dst] << (64 - imm)) & MASK64
        elif template is MULHU:
            flag = r[dst] = r[dst] * r[src] >> 64
        elif template is MULHS:
            flag = r[dst] = (_signed(r[dst]) * _signed(r[src]) >> 64) & MASK64
    return flag


def _signed(word: int) -> int:
    """A 64-bit word as the two's complement number that it stands for."""
    return word - (word >> 63 << 64)
