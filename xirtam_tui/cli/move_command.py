"""`move`: takes the account to another home server."""

import asyncio
from typing import Annotated, Any

import msgspec
import typer

from xirtam_core.client import Client
from xirtam_core.errors import NotFound, Refused, Unreachable
from xirtam_core.events import Event, HomeMoveChanged
from xirtam_core.home_move import HomeMove, HomeOffer, HomeStep
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output
from xirtam_tui.cli.progress_line import ProgressLine
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.cli.waiting import PATIENCE_S
from xirtam_tui.text import line

_PATIENCE_S = 600.0
_LOOK_S = 1.0
STEPS = {
    HomeStep.PREPARE: "getting a place ready at the new server",
    HomeStep.PROFILE: "taking the profile along",
    HomeStep.PROVE: "proving work for the directory",
    HomeStep.AWAIT: "waiting for the directory to log the move",
    HomeStep.TELL: "telling your other devices",
    HomeStep.SETTLE: "settling in at the new server",
    HomeStep.DONE: "copying your files",
    HomeStep.FAILED: "given up",
}


def move(
    target: Annotated[
        str | None, typer.Argument(help="The new server: its name (~harbor), its join link, or its address.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what the server offers and what moves.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a move that was broken off.")] = False,
    abort: Annotated[
        bool, typer.Option("--abort", help="Take back a move that the directory has not been told of.")
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", help="Wait so many seconds; the move goes on later.")
    ] = _PATIENCE_S,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move the account to another home server, also when the present one is dead. Contacts notice nothing, and no message is lost.

    Broken off, the move goes on when xirtam runs, or with --resume. Without a server it says how the latest move stands.

    Examples: xirtam move ~harbor    ·    xirtam move --check 'xirtam:join?…'    ·    xirtam move --abort
    """
    output = Output(as_json=as_json)
    if sum((target is not None, resume, abort)) > 1 or (check and target is None):
        raise typer.BadParameter("name a server, with or without --check; or one of --resume and --abort alone")
    where = context(data_dir, account, passphrase_file)
    if check and target is not None:
        run_command(_check(where, target, output), output)
    elif abort:
        run_command(_abort(where, output), output)
    elif target is None and not resume:
        run_command(_show(where, output), output)
    else:
        run_command(_move(where, target, timeout, output), output)


async def _check(where: Context, target: str, output: Output) -> None:
    async with opened(where) as client:
        offer = await client.home.offer(target)
    output.result({"event": "offer", **msgspec.to_builtins(offer, enc_hook=str)}, offer_words(offer))


async def _show(where: Context, output: Output) -> None:
    async with opened(where) as client:
        found = await client.home.state()
    if found is None:
        output.result({"event": "move", "step": None}, "the account has not moved from this device")
    else:
        output.result(_object(found), _words(found))


async def _abort(where: Context, output: Output) -> None:
    async with opened(where) as client:
        server = (await client.status()).server
        await client.home.undo()
    output.result({"event": "move", "step": None, "server": server}, f"taken back: the account stays on {server}")


async def _move(where: Context, target: str | None, timeout_s: float, output: Output) -> None:
    async with opened(where) as client:
        if target is not None:
            offer = await client.home.offer(target)
            if offer.obstacle is None:
                output.note(offer_words(offer))
            await client.home.move(target)
        done = await _carried_out(client, timeout_s, output, has_begun=target is not None)
    output.result(_object(done), _words(done))


async def _carried_out(client: Client, timeout_s: float, output: Output, *, has_begun: bool) -> HomeMove:
    """The move once it is made, and its files are copied if that takes no long; raises `Refused` for one that was given up."""
    progress, loop, news = ProgressLine(output), asyncio.get_running_loop(), asyncio.Event()

    def listen(event: Event) -> None:
        if isinstance(event, HomeMoveChanged):
            loop.call_soon_threadsafe(news.set)

    unsubscribe = client.subscribe(listen)
    told: str | None = None
    files_until = loop.time() + PATIENCE_S  # the account lives there already: what is left is copied when xirtam runs
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                news.clear()
                found = await _latest(client, has_begun=has_begun)
                has_begun = True
                if found.trouble not in (None, told) and found.is_under_way:
                    progress.end()
                    output.note(f"not yet: {line(found.trouble or '')}. It is tried again; Ctrl+C is safe")
                told = found.trouble or told
                if not found.is_under_way and (not found.files_left or loop.time() > files_until):
                    return found
                if found.is_under_way:
                    files_until = loop.time() + PATIENCE_S
                progress.show(STEPS[found.step], found.share, found.seconds_left)
                await _next(news)
    except TimeoutError:
        raise Unreachable("not made yet: it goes on when xirtam runs, or with xirtam move --resume") from None
    finally:
        progress.end()
        unsubscribe()


async def _latest(client: Client, *, has_begun: bool) -> HomeMove:
    found = await client.home.state()
    if found is None and has_begun:
        raise Refused("the move was taken back elsewhere: the account stays where it was")
    if found is None:
        raise NotFound("the account is not on its way to another server: name one")
    if found.step is HomeStep.FAILED:
        raise Refused(_came_to_nothing(found))
    return found


def _came_to_nothing(found: HomeMove) -> str:
    return f"the move to {found.server} came to nothing: {found.trouble}"


async def _next(news: asyncio.Event) -> None:
    """Returns when something is new, or it is time to look: an engine of another process may have been the one that told."""
    try:
        async with asyncio.timeout(_LOOK_S):
            await news.wait()
    except TimeoutError:
        return


def _object(found: HomeMove) -> dict[str, Any]:
    return {"event": "move", **msgspec.to_builtins(found, enc_hook=str)}


def _words(found: HomeMove) -> str:
    if found.step is HomeStep.DONE:
        left = f"; {found.files_left} files are still to be copied" if found.files_left else ""
        quiet = f"; {found.old} is read on until it has been quiet for a week" if found.is_old_read else ""
        return f"the account lives on {found.server}{left}{quiet}"
    if found.step is HomeStep.FAILED:
        return line(_came_to_nothing(found))
    trouble = f", not yet: {line(found.trouble)}" if found.trouble else ""
    return f"on the way from {found.old} to {found.server}: {STEPS[found.step]}{trouble}"


def offer_words(offer: HomeOffer) -> str:
    """What a server offers, and what moves, as lines for a person."""
    rows = [("server", f"{offer.server} ({line(offer.software)})"), ("takes", _registration(offer))]
    if offer.most_message_bytes:
        rows.append(("messages", f"up to {offer.most_message_bytes // 1024} KiB, kept {_time(offer.longest_ttl_s)}"))
    if offer.fragment_quota:
        rows.append(("files", f"up to {offer.fragment_quota // 1024**2} MiB in all"))
    ready = "it has your place ready before anybody is sent there"
    late = "it cannot prepare: for a moment, messages to you wait at who sends them"
    rows.append(("meanwhile", ready if offer.can_prepare else late))
    if not offer.is_old_there:
        rows.append(
            ("but", f"{offer.old} does not answer: what it still holds for you cannot be fetched until it does")
        )
    if offer.files:
        rows.append(("your files", f"{offer.files} are copied"))
    rows += [("stays there", f"the group {line(each.title)}{_admin(each.is_admin)}") for each in offer.groups]
    if offer.obstacle is not None:
        rows.append(("NOT POSSIBLE", line(offer.obstacle)))
    return "\n".join(f"{name:<13}{value}" for name, value in rows)


def _admin(is_admin: bool) -> str:
    return ": move it afterwards with xirtam group move" if is_admin else ", until its admins move it"


def _registration(offer: HomeOffer) -> str:
    match offer.registration:
        case "open":
            return "everybody"
        case "invite":
            return "who has an invite"
        case "closed":
            return "nobody new"
        case _:
            return "it does not say whom"


def _time(time_s: int | None) -> str:
    return f"for {time_s // 86_400} days" if time_s else "without end"
