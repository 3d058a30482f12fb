"""The commands of compose.yaml, on loopback instead of in containers, in the order in which docs/scaling.md has them."""

import json
import re
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.server_builders import ENVIRONMENT, LIMIT_S, calling, command, fetch_all, post, server_process, text_of

COMPOSE = (Path(__file__).parents[2] / "server" / "packaging" / "compose.yaml").read_text()


def composed(role: str, places: Mapping[str, str]) -> list[str]:
    """The flags that `role` has in compose.yaml, with other values for those that name places in a container."""
    found = re.search(rf'command: (\["{role}",.*?\])', COMPOSE, re.DOTALL)
    assert found is not None
    told: list[str] = json.loads(found[1])[1:]
    flags: dict[str, str] = dict(zip(told[::2], told[1::2], strict=True))
    assert places.keys() <= flags.keys()
    flags.update(places)
    return [word for pair in flags.items() for word in pair]


def run(*words: str) -> None:
    subprocess.run(command(*words), capture_output=True, env=ENVIRONMENT, timeout=LIMIT_S, check=True)


def contents(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


async def test_what_compose_starts_is_one_home_server_of_two_processes(tmp_path: Path, postgres_url: str) -> None:
    here = {"--host": "127.0.0.1", "--port": "0", "--metrics-port": "0"}
    port = str(free_port())
    places = here | {"--port": port, "--public-url": f"http://127.0.0.1:{port}/", "--data-dir": str(tmp_path / "names")}
    with server_process(
        tmp_path / "names", *composed("directory", places), "--pow-effort", "1", role="directory"
    ) as directory:
        link = (tmp_path / "names" / "join.link").read_text().strip()
        assert link == directory.ready["join"]
        made, file = tmp_path / "home", tmp_path / "home" / "xirtam-server.toml"
        run("init", str(made), "--name", "harbor", "--public-url", "https://chat.example.org/", "--join", link)
        file.write_text(re.sub("^#server = .*", 'server = "data/server.key"', file.read_text(), flags=re.MULTILINE))
        run("register-name", "--config", str(file))
        before = contents(made)
        places = here | {"--database": postgres_url, "--fragments": str(tmp_path / "fragments")}
        flags = ["--config", str(file), *composed("home", places | {"--data-dir": str(tmp_path / "1")})]
        others = ["--config", str(file), *composed("home", places | {"--data-dir": str(tmp_path / "2")})]
        with (
            server_process(tmp_path / "1", *flags, role="home") as first,
            server_process(tmp_path / "2", *others, role="home") as second,
        ):
            alice, token = await first.new_account("alice")
            async with calling(first.urls["http"]) as one, calling(second.urls["http"]) as other:
                await post(one, alice.username, "through both")
                assert [text_of(entry) for entry in await fetch_all(other, token, alice.username)] == ["through both"]
            assert (first.end(), second.end()) == (0, 0)
        assert contents(made) == before, "the folder is mounted read-only"
        assert (tmp_path / "fragments").is_dir()
