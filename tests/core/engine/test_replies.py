"""Texts in answer to a message, to clients that know replies and to others (spec: extensions.md, messages.md)."""

import json
from pathlib import Path

import pytest

from tests import builders
from tests.sim.home_server import ReferenceServer
from tests.sim.people import acquaint, two_people
from tests.sim.virtual_time import simulated, until
from xirtam_core.chat import LONGEST_TEXT, Message, MessageKind
from xirtam_core.codec.primitives import Base64Bytes
from xirtam_core.errors import Malformed, NotFound
from xirtam_core.protocol.control import REPLY
from xirtam_core.protocol.event import TEXT, Event, ToUser

ALICE, BOBBY = builders.account("alice"), builders.account("bobby")


@simulated
async def test_a_reply_names_what_it_answers_and_quotes_its_first_line(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await acquaint(pair)
        await pair.alice.write(pair.bobby, "\nshall we meet?\nat the pier")
        await until(lambda: len(pair.bobby.messages(pair.alice)) == 2, "it is there", 60)
        question = pair.bobby.messages(pair.alice)[1]
        pair.bobby.engine.conversations.set_draft(pair.alice.name, "yes")
        sent = pair.bobby.engine.conversations.send_text(pair.alice.name, "yes", reply_to=question.id)
        await pair.alice.gets(pair.bobby, "yes")
        (got,) = (message for message in pair.alice.messages(pair.bobby) if not message.mine)
        assert _reply_parts(got) == _reply_parts(sent) == ("yes", question.id, "shall we meet?", MessageKind.TEXT)
        assert pair.bobby.engine.conversations.chats()[0].draft == ""


def _reply_parts(message: Message) -> tuple[str, str | None, str | None, MessageKind]:
    return message.text, message.reply_to, message.quote, message.kind


@simulated
async def test_to_a_client_that_may_not_know_replies_the_quote_stands_above_the_text(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=ReferenceServer) as pair:
        event = builders.text_event(ALICE.username, "shall we meet?\nat the pier")
        await pair.world.post(pair.alice, builders.sealed_message(BOBBY, event, [ALICE]))
        await pair.alice.gets(pair.bobby, "shall we meet?\nat the pier")
        question = pair.alice.messages(pair.bobby)[0]
        sent = pair.alice.engine.conversations.send_text(pair.bobby.name, "yes", reply_to=question.id)
        assert (sent.mime, sent.text) == (TEXT, "> shall we meet?\nyes")
        await pair.bobby.gets(pair.alice, "> shall we meet?\nyes")


@simulated
async def test_a_reply_answers_a_message_of_its_chat_with_a_text_that_can_be_sent(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        message = await pair.alice.write(pair.bobby, "hello")
        send = pair.alice.engine.conversations.send_text
        for unknown in ("00" * 32, "no id"):
            with pytest.raises(NotFound):
                send(pair.bobby.name, "yes", reply_to=unknown)
        for text in ("", "x" * LONGEST_TEXT, "x" * (LONGEST_TEXT + 1)):
            with pytest.raises(Malformed):
                send(pair.bobby.name, text, reply_to=message.id)
        assert pair.alice.texts(pair.bobby) == ["hello"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[" * 100_000,
        b'{"text":"hi"}',
        json.dumps({"target": "00" * 32, "text": 7}).encode(),
        json.dumps({"target": "00", "text": "hi"}).encode(),
        json.dumps({"target": "00" * 32, "text": "x" * 300_000}).encode(),
        b'{"target":"' + b"00" * 32 + b'","text":"\\ud800"}',
    ],
)
def test_a_reply_that_cannot_be_read_is_left_out_of_the_conversation(tmp_path: Path, body: bytes) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            event = Event(ToUser(BOBBY.username), builders.NOW_NS, REPLY, Base64Bytes(body))
            await pair.world.post(pair.bobby, builders.sealed_message(ALICE, event, [BOBBY]))
            await until(lambda: pair.bobby.engine.conversations.status().rejected == 1, "it is given up", 60)
            assert pair.bobby.messages(pair.alice) == []
            assert pair.bobby.engine.conversations.chats() == []
            ((reason,),) = pair.bobby.database.rows("SELECT reason FROM quarantine")
            assert reason

    scenario()


@simulated
async def test_a_quote_is_cut_however_long_it_comes(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        body = json.dumps({"target": "00" * 32, "text": "yes", "quote": "q" * 50_000}).encode()
        event = Event(ToUser(BOBBY.username), builders.NOW_NS, REPLY, Base64Bytes(body))
        await pair.world.post(pair.bobby, builders.sealed_message(ALICE, event, [BOBBY]))
        await pair.bobby.gets(pair.alice, "yes")
        assert 0 < len(pair.bobby.messages(pair.alice)[0].quote or "") < 1000
