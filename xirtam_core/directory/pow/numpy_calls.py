"""HashX instructions and SipRound as numpy calls on rows of 64-bit lanes (spec: equix.md, 2, 5 and 13).

Everything here only writes down calls, as tuples to be replayed with `for f, a, b, out in calls: f(a, b, out)`. That loop is the
fastest way to drive numpy: outputs are rows that exist already, and constants are arrays of no dimensions, not numbers, which numpy
would convert at each call.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xirtam_core.directory.pow.program import ADDI, ADDSH, MUL, MULHS, MULHU, ROR, SUB, XOR, XORI, Instruction

Row = NDArray[Any]
Call = tuple[Callable[..., Any], Row, Row, Row]
"""A ufunc, its two inputs and its output."""


def constant(value: int) -> Row:
    """A 64-bit number as an input of a call."""
    return np.array(value, dtype=np.uint64)


NUMBERS = [constant(n) for n in range(64)]
_LOW_HALF = constant(0xFFFFFFFF)


class Rows(NamedTuple):
    """Rows of equal width: the eight registers, and six for the steps between."""

    registers: list[Row]
    scratch: list[Row]

    @classmethod
    def of_width(cls, lanes: int) -> "Rows":
        rows = list(np.zeros((14, lanes), dtype=np.uint64))
        return cls(rows[:8], rows[8:])


def replay(calls: Iterable[Call]) -> None:
    for function, left, right, out in calls:
        function(left, right, out)


def rotate_left(x: Row, bits: int, scratch: Row) -> list[Call]:
    return [
        (np.left_shift, x, NUMBERS[bits], scratch),
        (np.right_shift, x, NUMBERS[64 - bits], x),
        (np.bitwise_or, x, scratch, x),
    ]


def sip_round(a: Row, b: Row, c: Row, d: Row, scratch: Row) -> list[Call]:
    return [
        (np.add, a, b, a),
        *rotate_left(b, 13, scratch),
        (np.bitwise_xor, b, a, b),
        *rotate_left(a, 32, scratch),
        (np.add, c, d, c),
        *rotate_left(d, 16, scratch),
        (np.bitwise_xor, d, c, d),
        (np.add, a, d, a),
        *rotate_left(d, 21, scratch),
        (np.bitwise_xor, d, a, d),
        (np.add, c, b, c),
        *rotate_left(b, 17, scratch),
        (np.bitwise_xor, b, c, b),
        *rotate_left(c, 32, scratch),
    ]


def sip_round_first_word(a: Row, b: Row, c: Row, d: Row, scratch: Row) -> list[Call]:
    """The steps of SipRound that its first word depends on; it is left in `a`."""
    return [
        (np.add, a, b, a),
        *rotate_left(a, 32, scratch),
        (np.add, c, d, c),
        *rotate_left(d, 16, scratch),
        (np.bitwise_xor, d, c, d),
        (np.add, a, d, a),
    ]


def compile_instructions(instructions: Iterable[Instruction], rows: Rows) -> list[Call]:
    """The calls that do to every lane what `instructions` do to the registers of one run; branches are the caller's."""
    calls: list[Call] = []
    registers, scratch = rows
    for template, dst, src, imm in instructions:
        x, y = registers[dst], registers[src]
        if template is MUL:
            calls.append((np.multiply, x, y, x))
        elif template is SUB:
            calls.append((np.subtract, x, y, x))
        elif template is XOR:
            calls.append((np.bitwise_xor, x, y, x))
        elif template is ADDI:
            calls.append((np.add, x, constant(imm), x))
        elif template is XORI:
            calls.append((np.bitwise_xor, x, constant(imm), x))
        elif template is ROR:
            calls += rotate_left(x, 64 - imm, scratch[0])
        elif template is ADDSH:
            if imm:
                calls.append((np.left_shift, y, NUMBERS[imm], scratch[0]))
                y = scratch[0]
            calls.append((np.add, x, y, x))
        elif template is MULHU or template is MULHS:
            calls += _multiply_high(x, y, scratch, signed=template is MULHS)
    return calls


def _multiply_high(x: Row, y: Row, scratch: list[Row], *, signed: bool) -> list[Call]:
    """x = the high 64 bits of x * y.

    By halves of 32 bits: with t = xh yl + (xl yl >> 32) and u = xl yh + (t's low half), it is xh yh + (t >> 32) + (u >> 32), and
    nothing overflows. For signed words, all but the shift of xl yl keep the sign. x and y may be the same row.
    """
    xl, yl, xh, yh, t, u = scratch
    shift = NUMBERS[32]

    def upper_half(row: Row, out: Row) -> Call:
        if signed:
            return np.right_shift, row.view(np.int64), shift.view(np.int64), out.view(np.int64)
        return np.right_shift, row, shift, out

    return [
        (np.bitwise_and, x, _LOW_HALF, xl),
        (np.bitwise_and, y, _LOW_HALF, yl),
        upper_half(x, xh),
        upper_half(y, yh),
        (np.multiply, xl, yl, u),
        (np.right_shift, u, shift, u),
        (np.multiply, xh, yl, t),
        (np.add, t, u, t),
        (np.multiply, xl, yh, u),
        (np.bitwise_and, t, _LOW_HALF, xl),
        (np.add, u, xl, u),
        upper_half(t, t),
        upper_half(u, u),
        (np.multiply, xh, yh, x),
        (np.add, x, t, x),
        (np.add, x, u, x),
    ]
