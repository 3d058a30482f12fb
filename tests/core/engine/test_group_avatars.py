"""Pictures of groups: given, fetched once, checked, taken away (spec: extensions.md, Group commands)."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.sim.groups import Circle, circle, notices
from tests.sim.virtual_time import simulated, until
from xirtam_core.errors import Malformed, NotFound, Refused
from xirtam_core.names import ServerName
from xirtam_core.protocol import group_avatar
from xirtam_core.protocol.group_avatar import MOST_BYTES
from xirtam_core.protocol.group_command import SetInfo

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1000
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)


async def _has(group: Circle, size: int) -> None:
    await until(lambda: group.shown(group.carol).avatar_bytes == size, "Carol knows of it", 600)


@simulated
async def test_a_picture_is_fetched_once_and_another_takes_its_place(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        with pytest.raises(NotFound):
            await group.carol.engine.groups.avatar(group.group)
        await group.alice.engine.groups.set_avatar(group.group, PNG)
        await _has(group, len(PNG))
        assert notices(group.carol, group.group)[-1] == "@alice changed the picture"
        assert await group.carol.engine.groups.avatar(group.group) == PNG
        group.harbor.fragments.clear()
        assert await group.carol.engine.groups.avatar(group.group) == PNG
        assert await group.alice.engine.groups.avatar(group.group) == PNG
        with pytest.raises(NotFound):
            await group.bobby.engine.groups.avatar(group.group)
        await group.alice.engine.groups.set_avatar(group.group, JPEG)
        await _has(group, len(JPEG))
        assert await group.carol.engine.groups.avatar(group.group) == JPEG
        await group.alice.engine.groups.set_avatar(group.group, None)
        await _has(group, 0)
        assert notices(group.carol, group.group)[-1] == "@alice took the picture away"
        with pytest.raises(NotFound):
            await group.carol.engine.groups.avatar(group.group)


@simulated
async def test_a_name_that_is_given_later_leaves_the_picture_as_it_is(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await group.alice.engine.groups.set_avatar(group.group, PNG)
        group.alice.engine.groups.set_info(group.group, name="Walkers")
        await until(lambda: group.shown(group.carol).name == "Walkers", "it has another name", 600)
        assert group.shown(group.carol).avatar_bytes == len(PNG)


@simulated
async def test_only_admins_give_one_and_only_one_that_all_can_take(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        with pytest.raises(Refused):
            await group.bobby.engine.groups.set_avatar(group.group, PNG)
        for content in (b"", b"<svg/>", PNG.ljust(MOST_BYTES + 1, b"\0")):
            with pytest.raises(Malformed):
                await group.alice.engine.groups.set_avatar(group.group, content)
        assert not group.harbor.fragments


@simulated
async def test_a_file_that_is_not_what_is_said_of_it_is_refused(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        fragments = group.alice.engine.groups._avatars._fragments  # pyright: ignore[reportPrivateUsage] # a hostile admin
        alice = group.alice.engine.groups

        async def pieces() -> AsyncGenerator[bytes]:
            yield b"#!/bin/sh"

        root = await fragments.upload("avatar.png", "image/png", pieces(), 0)
        known = alice._managed(group.group)  # pyright: ignore[reportPrivateUsage]
        alice._say(known, SetInfo(avatar=group_avatar.said(root, ServerName("~harbor"))))  # pyright: ignore[reportPrivateUsage]
        await _has(group, 9)
        with pytest.raises(Malformed):
            await group.carol.engine.groups.avatar(group.group)
