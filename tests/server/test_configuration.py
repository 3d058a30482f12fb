"""The configuration file: what it may say, what it is told where it says something else, and the example that shows all of it."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.server_builders import ENVIRONMENT, LIMIT_S, command, server_process
from xirtam_server.config import BadConfiguration, ServerConfig
from xirtam_server.config_example import EXAMPLES, render
from xirtam_server.config_file import load, parse

EXAMPLE = Path(__file__).parents[2] / "server" / "packaging" / "xirtam-server.toml"
HERE = Path("/nowhere")


def uncommented(text: str) -> str:
    return re.sub(r"^#(?=[a-z_]+ = |\[)", "", text, flags=re.MULTILINE)


def leaves(config: msgspec.Struct, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of a configuration, dotted, and its value."""
    for name in config.__struct_fields__:
        value = getattr(config, name)
        if isinstance(value, msgspec.Struct):
            yield from leaves(value, f"{above}{name}.")
        else:
            yield above + name, value


def test_the_example_file_is_what_the_settings_docstrings_say() -> None:
    assert EXAMPLE.read_text() == render({}), "run tools/render_configuration.py"


def test_the_example_file_changes_nothing_as_it_is() -> None:
    assert parse(EXAMPLE.read_text(), "", HERE) == ServerConfig()


def test_every_key_of_the_example_shows_its_default_and_may_be_uncommented() -> None:
    shown = dict(leaves(parse(uncommented(EXAMPLE.read_text()), "", HERE)))
    for key, default in leaves(ServerConfig()):
        if default is None:
            assert key in EXAMPLES or any(example.startswith(f"{key}.") for example in EXAMPLES)
            assert any(name == key or name.startswith(f"{key}.") for name in shown)
        else:
            assert shown[key] == default


def test_every_key_of_the_example_says_what_it_means() -> None:
    text = EXAMPLE.read_text()
    assert not re.findall(r"^\n#([a-z_]+) = ", text, flags=re.MULTILINE)


class Lamp(msgspec.Struct):
    """What lights up."""

    oil: str
    """Its kind."""


class House(msgspec.Struct):
    """Where a lamp may be."""

    rooms: int = 1
    lamp: Lamp | None = None


def test_a_section_that_may_be_left_out_is_commented_out_with_its_keys() -> None:
    assert tomllib.loads(render({}, House)) == {}
    assert "#[lamp]\n# What lights up.\n\n# Its kind. Example:\n#oil = " in render({}, House)
    assert tomllib.loads(render({"lamp.oil": "olive"}, House)) == {"lamp": {"oil": "olive"}}


def test_what_is_set_in_a_file_counts_and_a_flag_counts_more(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text('data_dir = "data"\n[listen]\nport = 7000\ntcp_port = 7001\n[limits.home]\nmost_polls = 5\n')
    config = load(file, {"listen.port": 8000})
    assert (config.listen.port, config.listen.tcp_port, config.limits.home.most_polls) == (8000, 7001, 5)
    assert config.data_dir == tmp_path / "data"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour = 1", ("colour", "data_dir")),
        ("[limits.home]\nmost_pols = 1", ("[limits.home]", "most_pols", "most_polls")),
        ("[limts]\nx = 1", ("limts", "limits")),
        ('[listen]\nport = "http"', ("listen.port", "int")),
        ("[listen]\nport = 70000", ("listen.port", "65535")),
        ("listen = 3", ("listen", "section")),
        ('[registration]\nnew_users = "some"', ("registration.new_users", "open, invite, closed")),
        ('name = "no"', ("name", "5 to 15")),
        ("[limits.home]\nmax_message_bytes = -1", ("limits.home.max_message_bytes", "above 0")),
        ("[limits.home]\nlongest_poll_s = inf", ("limits.home.longest_poll_s", "above 0")),
        ("[limits.home]\nmax_ttl_s = -1", ("limits.home.max_ttl_s", "from 0")),
        ('[listen]\npublic_urls = ["wss://chat.example/"]', ("public_urls", "https")),
        ('[listen]\npublic_urls = ["tcp://chat.example"]', ("public_urls", "port")),
        ('[listen]\npublic_urls = ["gopher://chat.example"]', ("public_urls", "schemes")),
        ('[directory]\nkey = "short"', ("directory.key", "43")),
        ("port 7100", ("TOML", "line 1")),
    ],
)
def test_what_makes_no_sense_is_named_in_one_line_with_what_is_allowed(text: str, named: tuple[str, ...]) -> None:
    with pytest.raises(BadConfiguration) as refused:
        parse(text, "server.toml", HERE)
    said = str(refused.value)
    assert said.startswith("server.toml: ")
    assert "\n" not in said
    assert all(word in said for word in named)


def explained(dotted: str) -> tuple[str, str]:
    """What the example file says of a key, and of its section."""
    section, _, key = dotted.rpartition(".")
    within = EXAMPLE.read_text()
    if section:
        within = within.partition(f"\n[{section}]\n")[2].partition("\n[")[0]
    about = re.search(rf"((?:^# .*\n)+)#{key} = ", within, re.MULTILINE)
    assert about is not None
    return about[1], within.partition("\n\n")[0]


NUMBERS = [
    key for key, value in leaves(parse(uncommented(EXAMPLE.read_text()), "", HERE)) if type(value) in (int, float)
]


@pytest.mark.parametrize("key", NUMBERS)
def test_a_number_may_be_0_only_where_the_example_says_what_that_means(key: str) -> None:
    meaning, about_section = explained(key)
    try:
        parse("", "", HERE, {key: 0})
    except BadConfiguration as refused:
        assert key in str(refused)
        assert "\n" not in str(refused)
        assert not re.search(r"\b0: ", meaning)
    else:
        assert re.search(r"\b0: |Port 0 ", meaning + about_section)


def test_public_urls_are_put_into_their_normal_form() -> None:
    urls = parse(
        '[listen]\npublic_urls = ["https://chat.example", "tcp://chat.example:7001"]', "", HERE
    ).listen.public_urls
    assert urls == ("https://chat.example/", "tcp://chat.example:7001")


def test_a_server_with_a_wrong_file_says_so_and_exits_2(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text("[listen]\nprot = 1\n")
    refused = subprocess.run(
        command("--config", str(file)), capture_output=True, text=True, env=ENVIRONMENT, timeout=LIMIT_S, check=False
    )
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "prot" in refused.stderr


def test_a_server_is_started_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    text = {"name": "~harbor", "listen.tcp_port": 0}
    file.write_text(render(text))
    assert tomllib.loads(file.read_text())["name"] == "~harbor"
    with server_process(tmp_path / "data", "--config", str(file)) as server:
        assert server.name == "~harbor"
        assert server.urls["tcp"]
