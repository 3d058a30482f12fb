"""Where the bytes of fragments are: the same promises in a folder and in an S3 store."""

import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.object_store import BUCKET, SECRET, s3_server
from xirtam_core.codec.primitives import Hash
from xirtam_server.storage.bodies import BodyStore, FragmentsUnusable, new_name, open_bodies
from xirtam_server.storage.bodies.interface import LARGEST_BODY

NAME = Hash(b"f" * 32)
A_MINUTE_ON = 60.0


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with s3_server() as environment:
        yield environment


@pytest.fixture(params=["folder", "s3"])
def location(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "folder":
        return str(tmp_path / "fragments")
    for name, value in request.getfixturevalue("s3").items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{tmp_path.name}"


@pytest.fixture
async def bodies(location: str) -> AsyncIterator[BodyStore]:
    opened = await open_bodies(location)
    yield opened
    await opened.close()


async def stored(bodies: BodyStore, content: bytes = b"bytes of a fragment", fragment: Hash = NAME) -> str:
    name = new_name(fragment)
    await bodies.put(name, content)
    return name


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def old(bodies: BodyStore, unix_s: float) -> set[str]:
    return {name async for names in bodies.written_before(unix_s) for name in names}


async def test_what_was_put_is_there_for_whoever_opens_the_store_next(location: str) -> None:
    first = await open_bodies(location)
    body = await stored(first)
    await first.close()
    second = await open_bodies(location)
    assert await second.get(body) == b"bytes of a fragment"
    await second.close()


async def test_uploads_of_one_fragment_do_not_share_their_bytes(bodies: BodyStore) -> None:
    first, second = await stored(bodies), await stored(bodies)
    assert first != second
    await bodies.remove([first])
    assert await bodies.get(first) is None
    assert await bodies.get(second) == b"bytes of a fragment"


async def test_bytes_can_be_put_right_under_their_name(bodies: BodyStore) -> None:
    body = await stored(bodies, b"damaged")
    await bodies.put(body, b"right")
    assert await bodies.get(body) == b"right"


async def test_removing_what_is_not_there_is_no_fault(bodies: BodyStore) -> None:
    body = await stored(bodies)
    await bodies.remove([new_name(NAME), body])
    await bodies.remove([body])
    await bodies.remove([])
    assert await bodies.get(body) is None


async def test_what_is_larger_than_any_fragment_is_not_read(bodies: BodyStore) -> None:
    assert await bodies.get(await stored(bodies, bytes(LARGEST_BODY))) == bytes(LARGEST_BODY)
    assert await bodies.get(await stored(bodies, bytes(LARGEST_BODY + 1))) is None


async def test_only_old_bytes_are_listed_as_old(bodies: BodyStore) -> None:
    names = {await stored(bodies, fragment=Hash(bytes([number]) * 32)) for number in range(5)}
    assert await old(bodies, time.time() - A_MINUTE_ON) == set()
    assert await old(bodies, time.time() + A_MINUTE_ON) == names


async def test_foreign_files_are_left_alone_and_unfinished_ones_go_when_they_are_old(tmp_path: Path) -> None:
    bodies = await open_bodies(str(tmp_path))
    body = await stored(bodies)
    (file,) = files_in(tmp_path)
    foreign, unfinished = file.with_name("notes.txt"), file.with_name(new_name(NAME) + ".part")
    for path in (foreign, unfinished):
        path.write_bytes(b"x")
    assert await old(bodies, time.time() - A_MINUTE_ON) == set()
    assert unfinished.exists()
    assert await old(bodies, time.time() + A_MINUTE_ON) == {body}
    assert foreign.exists()
    assert not unfinished.exists()
    await bodies.close()


async def test_a_put_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = await open_bodies(str(tmp_path))

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
        patched.setattr(os, "fsync", full)
        await stored(bodies)
    assert files_in(tmp_path) == []
    assert await bodies.get(await stored(bodies)) is not None
    await bodies.close()


@pytest.mark.parametrize(
    "location",
    ["s3://", "s3://key:secret@bucket/prefix", "s3://bucket/prefix?region=here", "gs://bucket", "/dev/null/fragments"],
)
async def test_a_place_that_cannot_be_used_is_refused_with_what_to_do(location: str) -> None:
    with pytest.raises(FragmentsUnusable) as refusal:
        await open_bodies(location)
    assert "\n" not in str(refusal.value)
    assert "secret" not in str(refusal.value)


async def test_a_store_that_is_away_is_a_fault_that_names_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "harbor")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    bodies = await open_bodies(f"s3://{BUCKET}")
    with pytest.raises(Exception, match=r"127\.0\.0\.1") as fault:
        await bodies.get(new_name(NAME))
    assert SECRET not in f"{fault.value}{bodies!r}"
    await bodies.close()
