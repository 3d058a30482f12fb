"""Where a recovery key is typed: in groups, as it stands on the paper."""

from textual import on
from textual.widgets import Input

_GROUP, _LENGTH = 5, 40
_LONGEST = 100
_SCANNED = "XIRTAMRECOVERY"


class KeyInput(Input):
    """Puts the groups apart by itself, whatever is typed, pasted or scanned. Its text is a secret, and forgotten with its sheet."""

    def __init__(self, *, id: str = "key") -> None:  # noqa: A002 # as every widget calls it
        placeholder = " ".join(["R1···", *["·····"] * 7])
        super().__init__(placeholder=placeholder, compact=True, id=id, max_length=_LONGEST, select_on_focus=False)

    @on(Input.Changed)
    def _put_apart(self) -> None:
        """Of what stands here now: more may have been typed since it changed. The cursor stays behind the symbol it was behind."""
        grouped = _grouped(self.value)
        if grouped != self.value:
            behind = len(_symbols(self.value[: self.cursor_position]))
            with self.prevent(Input.Changed):
                self.value = grouped
            self.cursor_position = behind + max(0, behind - 1) // _GROUP

    @property
    def symbols(self) -> int:
        """How many symbols of the key there are."""
        return len(self.value.replace(" ", ""))

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return self.symbols >= _LENGTH

    def how_far(self) -> str:
        """How much there is, in words; nothing before anything is typed."""
        if not self.symbols:
            return ""
        if self.symbols > _LENGTH:
            return f"That is {self.symbols - _LENGTH} too many: a recovery key has {_LENGTH} letters and digits."
        return f"{self.symbols} of {_LENGTH}, group {min(self.symbols // _GROUP + 1, _LENGTH // _GROUP)} of {_LENGTH // _GROUP}"

    def forget(self) -> None:
        """Leaves nothing of the key here."""
        with self.prevent(Input.Changed):
            self.value = ""

    def on_unmount(self) -> None:
        self.forget()


def _symbols(typed: str) -> str:
    return "".join(typed.replace("-", "").replace(":", "").split()).upper().removeprefix(_SCANNED)


def _grouped(typed: str) -> str:
    symbols = _symbols(typed)
    return " ".join(symbols[at : at + _GROUP] for at in range(0, len(symbols), _GROUP))
