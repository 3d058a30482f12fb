"""HashX: the 64-bit hash functions that challenges stand for, one input at a time (spec: equix.md, 7 and 8)."""

from typing import NamedTuple

from xirtam_core.directory.pow.program import (
    ADDI,
    ADDSH,
    BLOCK_LENGTH,
    BRANCH,
    MUL,
    MULHS,
    MULHU,
    ROR,
    SUB,
    TARGET,
    XOR,
    XORI,
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
        """The registers that the program leaves for the 64-bit input `n`."""
        r = expand(self.key_b, n)
        program = self.program
        flag = 0
        jumped_in: int | None = None
        at = 0
        block = 0
        end = len(program)
        while at < end:
            template, dst, src, imm = program[at]
            at += 1
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
                flag = r[dst] = (signed(r[dst]) * signed(r[src]) >> 64) & MASK64
            elif template is TARGET:
                block = at
            elif template is BRANCH and jumped_in is None and not flag & imm:
                jumped_in = at // BLOCK_LENGTH
                at = block
        return Run(r, jumped_in)


def signed(word: int) -> int:
    """A 64-bit word as the two's complement number that it stands for."""
    return word - (word >> 63 << 64)
