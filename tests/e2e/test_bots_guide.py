"""docs/bots.md is true: its code runs, from top to bottom, against a real server; its table has every error."""

import ast
import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.processes import LIMIT_S, Server, until
from xirtam_core import Client, JoinLink, KeyPlace, Username, errors, register
from xirtam_core.accounts import accounts

_GUIDE = Path(__file__).parents[2] / "docs" / "bots.md"
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


async def run(guide: str, names: dict[str, Any]) -> None:
    """Runs each block of Python with these names, `await` wherever it likes."""
    for block in _BLOCK.finditer(guide):
        line = guide.count("\n", 0, block.start(1))
        tree = ast.increment_lineno(ast.parse(block[1], str(_GUIDE)), line)
        result = eval(compile(tree, str(_GUIDE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if inspect.isawaitable(result):
            await result


async def write_to_helper(client: Client, data_dir: Path) -> None:
    """Says something to the guide's bot, as soon as there is one: who was not found is not looked up again for a minute."""
    await asyncio.to_thread(until, lambda: Username("@helper") in accounts(data_dir), "the guide has made its account")
    chat = await client.start_chat(Username("@helper"))
    for text in ("good morning", "that is all"):
        await client.send_text(chat.id, text)


async def test_the_guides_code_runs(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "join.txt").write_text(server.join + "\n")
    monkeypatch.chdir(tmp_path)
    guide, link = _GUIDE.read_text(), JoinLink.parse(server.join)
    names: dict[str, Any] = {}
    async with await register(
        tmp_path / "alice", link, Username("@alice"), lambda _: None, key_place=KeyPlace.FILE
    ) as alice:
        writing = asyncio.create_task(write_to_helper(alice, tmp_path / "state"))
        try:
            async with asyncio.timeout(4 * LIMIT_S):
                await run(guide, names)
                await writing
            answers = [message.text for message in (await alice.history("@helper")).messages if not message.mine]
            assert answers[:2] == ["hello alice", "hello alice"]
        finally:
            writing.cancel()
            if "client" in names:
                await names["client"].close()


def test_the_guides_table_has_every_error() -> None:
    listed = re.findall(r"^\| `(\w+)`", _GUIDE.read_text(), re.MULTILINE)
    assert listed == [name for name, value in vars(errors).items() if inspect.isclass(value) and name != "XirtamError"]
