"""Names of users, servers and groups, as validated types (spec: encoding.md, Names; docs/protocol/named-groups.md).

A value of these types has been checked, sigil included, so whoever holds one need not check again. What a person types goes
through `parse`, which adds a missing sigil.
"""

import re
from typing import ClassVar, Self

from xirtam_core.errors import InvalidName


class _Name(str):
    """A name with its sigil; raises `InvalidName` when the text does not match the pattern."""

    __slots__ = ()
    sigil: ClassVar[str]
    noun: ClassVar[str]
    _pattern: ClassVar[re.Pattern[str]]

    def __new__(cls, text: str) -> Self:
        if not cls._pattern.fullmatch(text):
            raise InvalidName(f"a {cls.noun} is {cls.sigil} and 5 to 15 letters, digits or underscores")
        return super().__new__(cls, text)

    @classmethod
    def parse(cls, typed: str) -> Self:
        """The name that a person typed, with or without its sigil."""
        return cls(typed if typed.startswith(cls.sigil) else cls.sigil + typed)

    @property
    def bare(self) -> str:
        """The name without its sigil."""
        return self[1:]


class Username(_Name):
    """`@alice`: 5 to 15 ASCII letters, digits or underscores after the `@`; case-sensitive."""

    __slots__ = ()
    sigil = "@"
    noun = "user name"
    _pattern = re.compile(r"@[A-Za-z0-9_]{5,15}")


class ServerName(_Name):
    """`~harbor`: 5 to 15 ASCII letters, digits or underscores after the `~`; case-sensitive."""

    __slots__ = ()
    sigil = "~"
    noun = "server name"
    _pattern = re.compile(r"~[A-Za-z0-9_]{5,15}")


class GroupName(_Name):
    """`+climbers`, a group's name in the directory: 5 to 15 ASCII letters, digits or underscores after the `+`; case-sensitive."""

    __slots__ = ()
    sigil = "+"
    noun = "group name"
    _pattern = re.compile(r"\+[A-Za-z0-9_]{5,15}")
