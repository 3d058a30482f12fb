"""What a server offers, and how far a move to it has come, in words."""

from collections.abc import Iterable

from textual.content import Content

from xirtam_core.home_move import HomeMove, HomeOffer, HomeStep, HostedGroup
from xirtam_core.names import ServerName, Username
from xirtam_tui.emoji_names import shown
from xirtam_tui.failures import sentence
from xirtam_tui.moments import span

_LABEL = 14
_MOST_NAMED = 4
_UNSAID = "it does not say"
_REGISTRATION = {"open": "everybody may come", "invite": "by invite", "closed": "none"}
STEPS = [step for step in HomeStep if step not in (HomeStep.DONE, HomeStep.FAILED)]
_STATUS = {
    HomeStep.PREPARE: "signing in there",
    HomeStep.PROFILE: "taking the profile along",
    HomeStep.PROVE: "proof of work",
    HomeStep.AWAIT: "waiting for the directory",
    HomeStep.TELL: "telling your devices",
    HomeStep.SETTLE: "settling in",
}


# What is offered


def offered(offer: HomeOffer) -> Content:
    """A server, and what comes along to it if one may go there."""
    title = Content.assemble((offer.server, "bold $accent"), (f"  {offer.software}", "$text-muted"))
    rows = [title, *_facts(offer)]
    if offer.obstacle is None:
        rows += [Content(""), Content.styled("What moves", "bold"), *_moves(offer), *_stays(offer.groups, offer.old)]
    return Content("\n").join(rows)


def _facts(offer: HomeOffer) -> Iterable[Content]:
    yield _fact("new users", _registration(offer))
    yield _fact("messages", _message_limits(offer))
    quota = offer.fragment_quota
    yield _fact("files", _UNSAID if quota is None else "not limited" if quota <= 0 else f"{size(quota)} of yours")
    if offer.can_prepare:
        yield _fact("the change", "no moment at which messages have nowhere to go")
    else:
        yield _fact(
            "the change", "for a moment messages may have nowhere to go, and", "are sent again: it cannot prepare"
        )
    if offer.can_forward:
        yield _fact("forwarding", "yes: others need not see this device's address")
    else:
        yield _fact("forwarding", "no: this device calls other servers by itself")
    if offer.is_old_there:
        yield _fact(offer.old, "answers")
    else:
        yield _fact(
            offer.old, "does not answer. The move goes on without it; what", "it has comes if it is there again"
        )


def _registration(offer: HomeOffer) -> str:
    if offer.registration is None:
        return _UNSAID
    words = _REGISTRATION.get(offer.registration, offer.registration)
    return f"{words}, and you may come" if offer.registration != "open" and offer.obstacle is None else words


def _message_limits(offer: HomeOffer) -> str:
    largest = "" if offer.most_message_bytes is None else f"up to {size(offer.most_message_bytes)} · "
    if offer.longest_ttl_s is None:
        return largest.removesuffix(" · ") or _UNSAID
    return largest + (f"kept for {span(offer.longest_ttl_s)}" if offer.longest_ttl_s else "kept until you have them")


def _moves(offer: HomeOffer) -> Iterable[Content]:
    yield _good("Your name, contacts and chats. Your contacts notice nothing.")
    yield _good(f"Messages come from both, until {offer.old} is quiet for a week.")
    yield _good("Your other devices follow by themselves.")
    if offer.files:
        yield _good("Your file is copied." if offer.files == 1 else f"Your {offer.files} files are copied.")


def _stays(groups: tuple[HostedGroup, ...], old: ServerName) -> Iterable[Content]:
    if groups:
        yield Content("")
        yield Content.styled("What does not", "bold")
        yield Content.assemble(("○ ", "$text-muted"), f"{_groups(len(groups))} on {old}: you stay in, they stay there.")
        yield from named((each.title, each.is_admin) for each in groups)
    if any(each.is_admin for each in groups):
        yield Content.styled("  What you administer can be moved afterwards.", "$text-muted")


def named(groups: Iterable[tuple[str, bool]]) -> Iterable[Content]:
    """Groups by title, a line each, those that one administers marked."""
    rows = list(groups)
    for title, is_admin in rows[:_MOST_NAMED]:
        yield Content.assemble("  ", (shown(title), "bold"), ("  yours to move" if is_admin else "", "$accent"))
    if len(rows) > _MOST_NAMED:
        yield Content.styled(f"  and {len(rows) - _MOST_NAMED} more", "$text-muted")


def _groups(count: int) -> str:
    return f"{count} group{'' if count == 1 else 's'}"


def _fact(label: str, *lines: str) -> Content:
    return Content.assemble((f"{label:<{_LABEL}}", "$text-muted"), ("\n" + " " * _LABEL).join(lines))


def _good(words: str) -> Content:
    return Content.assemble(("✓ ", "$success"), words)


def size(count: int) -> str:
    """So many bytes as people read them: `256 KiB`, `1.5 MiB`."""
    value, unit = float(count), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.1f}".removesuffix(".0") + f" {unit}"


# How far it has come


def steps(move: HomeMove) -> Content:
    """The steps, each with a mark that is a word too."""
    at = STEPS.index(move.step) if move.step in STEPS else len(STEPS)
    return Content("\n").join(_step(_STEP_WORDS[step].format(move), n - at) for n, step in enumerate(STEPS))


_STEP_WORDS = {
    HomeStep.PREPARE: "Sign in at {0.server}, and be ready there",
    HomeStep.PROFILE: "Take your profile along",
    HomeStep.PROVE: "Do the proof of work for the directory",
    HomeStep.AWAIT: "Wait until the directory has it in its log",
    HomeStep.TELL: "Tell your other devices",
    HomeStep.SETTLE: "Make {0.server} the home of this device",
}


def _step(words: str, distance: int) -> Content:
    if distance < 0:
        return Content.assemble(("✓ done     ", "$success"), (words, "$text-muted"))
    if distance == 0:
        return Content.assemble(("● now      ", "$accent"), (words + "…", "bold"))
    return Content.styled(f"○ to come  {words}", "$text-disabled")


def way_back(move: HomeMove) -> str:
    """What one can still do about a move that is under way."""
    if move.can_undo:
        return "You may close this, or leave: it goes on by itself. Until the directory is told, you can undo it."
    return f"It goes on by itself. The directory has been told: move back to {move.old} afterwards, if you want to."


def trouble(move: HomeMove) -> str:
    """What is in the way of a move that is under way."""
    return f"⚠ {sentence(move.trouble)} It is tried again." if move.trouble else ""


def left(move: HomeMove) -> str:
    """How long the proof of work takes yet."""
    return "" if move.seconds_left is None else f"about {span(move.seconds_left)} left"


def going_on(move: HomeMove) -> Iterable[Content]:
    """What is still being done after a move."""
    if move.files_left:
        are = "file is" if move.files_left == 1 else "files are"
        yield Content.assemble(("● ", "$accent"), f"{move.files_left} {are} still to be copied from {move.old}.")
    if move.is_old_read:
        yield Content.assemble(("● ", "$accent"), f"{move.old} is read on, until it has been quiet for a week.")
    if not move.files_left and not move.is_old_read:
        yield _good(f"Nothing is left to be done at {move.old}.")


def done(move: HomeMove, me: Username, groups: list[tuple[str, bool]]) -> Content:
    """That an account has moved, what goes on, and which groups have stayed."""
    rows = [Content.assemble(("✓ ", "$success"), (f"{me} lives on {move.server} now.", "bold")), *going_on(move)]
    if groups:
        rows += [Content(""), Content(f"{_groups(len(groups))} on {move.old} as before, with you in {_them(groups)}:")]
        rows += named(groups)
    return Content("\n").join(rows)


def _them(groups: list[tuple[str, bool]]) -> str:
    return "it" if len(groups) == 1 else "them"


def failed(move: HomeMove, me: Username, home: ServerName) -> Content:
    """Why a move came to nothing, and what that means."""
    why = sentence(move.trouble or "no reason is known")
    return Content.assemble(("✗ ", "$error"), (why, "$error"), f"\n\n{me} lives on {home}. Nothing is lost.")


def status(move: HomeMove | None) -> tuple[str, str]:
    """A move that is under way in a few words, and in fewer; nothing where there is none."""
    if move is None or not move.is_under_way:
        return "", ""
    short = f"moving to {move.server}"
    if move.trouble:
        return f"⚠ {short}: tried again", f"⚠ {short}"
    share = f" {move.share:.0%}" if move.step is HomeStep.PROVE and move.share is not None else ""
    return f"{short}: {_STATUS[move.step]}{share}", short
