"""HashX programs: the instruction set, and the generator that makes one from key A (spec: equix.md, 4 to 6).

Every program has the same skeleton of 16 blocks of 32 instructions; the generator fills in what, which registers and which constants.
This is the short form of it (spec: equix.md, 6.8): no ports are simulated, since they are never short unless an instruction fails
twice, and then the challenge is unusable anyway.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from xirtam_core.directory.pow.siphash import Words4, prf_stream

BLOCKS: Final = 16
BLOCK_LENGTH: Final = 32
# Numbers within a block.
TARGET_AT: Final = 1
FLAG_AT: Final = 11  # the wide multiplication whose low 32 bits the block's branch tests
BRANCH_AT: Final = 17


class Template:
    """What an instruction does, and the generator's rules for it (spec: equix.md, 5 and 6.1)."""

    __slots__ = ("busy", "constant", "destination", "group", "name", "source", "wide")

    def __init__(self, name: str, group: int, latency: int, operands: str) -> None:
        self.name = name
        self.group = group
        self.destination = "d" in operands
        self.source = "s" in operands
        self.constant = "c" in operands
        self.wide = latency == 4
        self.busy = sum(1 << 8 * cycle for cycle in range(latency))
        """A bit in each 8-bit set of waiting registers, from this cycle on, for which the destination is not ready."""

    def __repr__(self) -> str:
        return self.name


MULHU: Final = Template("MULHU", 0, 4, "ds")
MULHS: Final = Template("MULHS", 1, 4, "ds")
MUL: Final = Template("MUL", 2, 3, "ds")
SUB: Final = Template("SUB", 3, 1, "ds")
ADDSH: Final = Template("ADDSH", 3, 1, "dsc")
XOR: Final = Template("XOR", 4, 1, "ds")
ROR: Final = Template("ROR", 5, 1, "dc")
ADDI: Final = Template("ADDI", 6, 1, "dc")
XORI: Final = Template("XORI", 7, 1, "dc")
TARGET: Final = Template("TARGET", 8, 1, "")
BRANCH: Final = Template("BRANCH", 9, 1, "c")


class Instruction(NamedTuple):
    """One instruction; `dst`, `src` and `imm` are 0 where its template has none.

    The 32-bit constants of ADDI and XORI are kept as they are used: with bit 31 copied upwards, to 64 bits.
    """

    template: Template
    dst: int
    src: int
    imm: int


Program = list[Instruction]
"""512 instructions. Number n of block b is at 32 b + n."""

# What a position may hold. The second attempt at ANY leaves out the templates with a source.
_MUL = (MUL,)
_TARGET = (TARGET,)
_BRANCH = (BRANCH,)
_WIDE = (MULHS, MULHU)
_ANY = (ROR, XORI, ADDI, ADDI, SUB, XOR, XORI, ADDSH)
_ANY_AGAIN = _ANY[:4]

# A block, cycle by cycle (spec: equix.md, 6.8).
_CYCLES = (
    (_MUL, _TARGET),
    *[(_MUL, _ANY, _ANY)] * 3,
    (_WIDE, _ANY),
    (_MUL, _ANY, _ANY),
    (_MUL, _BRANCH),
    (_MUL, _ANY, _ANY),
    (_WIDE, _ANY),
    *[(_MUL, _ANY, _ANY)] * 3,
)
_UPPER_HALF = 0xFFFFFFFF << 32

_REGISTERS = [[register for register in range(8) if mask >> register & 1] for mask in range(256)]
"""The registers in each 8-bit mask, ascending."""


class RandomStream:
    """The generator's random numbers: bytes and 32-bit words, each from a buffer of its own that a row of PRF values fills.

    A buffer takes the next value of the row when it is asked and empty; so the order of asking matters (spec: equix.md, 4).
    """

    def __init__(self, values: Iterator[int]) -> None:
        self.u8 = _bytes(values).__next__
        self.u32 = _words(values).__next__


def _bytes(values: Iterator[int]) -> Iterator[int]:
    for value in values:
        yield from value.to_bytes(8, "big")


def _words(values: Iterator[int]) -> Iterator[int]:
    for value in values:
        yield value >> 32
        yield value & 0xFFFFFFFF


class Generator:
    """Makes the one program of a random stream. Sets of registers are 8-bit masks."""

    def __init__(self, stream: RandomStream) -> None:
        self._u8 = stream.u8
        self._u32 = stream.u32
        self._waiting = 0  # the registers whose value is not ready: this cycle's set lowest, then the next cycle's, ...
        # Per register, the operation that wrote it: its template's group and its tag, in one number.
        self._last = [-1] * 8
        self._last_is_mul = 0  # the registers that MUL wrote last
        self._template = TARGET  # chosen last, whether or not that attempt succeeded

    def program(self) -> Program | None:
        """The program; None if the challenge is unusable."""
        program: Program = []
        for cycle in _CYCLES * BLOCKS:
            for choices in cycle:
                instruction = self._attempt(choices, again=False) or self._attempt(choices, again=True)
                if instruction is None:
                    return None
                program.append(instruction)
            self._waiting >>= 8
        return program

    def _attempt(self, choices: tuple[Template, ...], *, again: bool) -> Instruction | None:
        self._template = template = choices[0] if len(choices) == 1 else self._choose(choices, again)
        imm = self._constant(template) if template.constant else 0
        if not template.destination:
            return Instruction(template, 0, 0, imm)
        u32 = self._u32
        eligible = ~self._waiting & 0xFF
        src, tag = 0, 8
        if template.wide:
            tag = u32()
        if template.source:
            registers = _REGISTERS[eligible]
            src = registers[u32() % len(registers)]
            if not template.wide:
                tag = src
                eligible &= ~(1 << src)
        if template is MUL and not again:
            eligible &= ~self._last_is_mul
        elif template is ADDSH:
            eligible &= ~(1 << 5)
        operation = template.group << 32 | tag
        if operation in self._last:
            eligible &= ~sum(1 << register for register, last in enumerate(self._last) if last == operation)
        registers = _REGISTERS[eligible]
        if not registers:
            return None
        dst = registers[u32() % len(registers)] if len(registers) > 1 else registers[0]
        self._waiting |= template.busy << dst
        self._last[dst] = operation
        self._last_is_mul &= ~(1 << dst)
        if template is MUL:
            self._last_is_mul |= 1 << dst
        return Instruction(template, dst, src, imm)

    def _choose(self, choices: tuple[Template, ...], again: bool) -> Template:
        u8 = self._u8
        if choices is _WIDE:
            return _WIDE[u8() & 1]
        if again:
            choices = _ANY_AGAIN
        previous, mask = self._template.group, len(choices) - 1
        while (template := choices[u8() & mask]).group == previous:
            pass
        return template

    def _constant(self, template: Template) -> int:
        if template is BRANCH:
            mask = 0
            while mask.bit_count() < 4:
                mask |= 1 << (self._u8() & 31)
            return mask
        if template is ADDSH:
            return self._u32() & 3
        bits = 63 if template is ROR else 0xFFFFFFFF
        while not (value := self._u32() & bits):
            pass
        return value | _UPPER_HALF if value >> 31 else value


def generate(key: Words4) -> Program | None:
    """The program that key A makes; None if its challenge is unusable, which about one in 32 600 is."""
    return Generator(RandomStream(prf_stream(key))).program()
