"""`init`: the configuration and the keys of a public server, and what its operator does next."""

from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from xirtam_core.crypto import signing
from xirtam_core.join_link import JoinLink
from xirtam_server import config_example, config_file
from xirtam_server.config import Role, ServerConfig, StartFailed
from xirtam_server.data_dir import made, write_private
from xirtam_server.identity import directory_key, home_identity

CONFIG_NAME = "xirtam-server.toml"
_PORT, _METRICS_PORT = 7100, 7190


def make(folder: Path, name: str, public_urls: list[str], join: dict[str, Any]) -> str:
    """Writes both into `folder` and says what is next; raises `StartFailed` rather than overwrite, and `BadConfiguration`.

    `join` has urls and key of a directory elsewhere, by dotted key; without it the server keeps a directory of its own.
    """
    folder = folder.absolute()
    config_file.parse("", "", folder, {"name": name, "listen.public_urls": public_urls} | join)
    given = {"data_dir": "data", "name": name, "listen.public_urls": public_urls, "metrics.port": _METRICS_PORT}
    given |= _places(public_urls) | join
    text = config_example.render(given)
    config = config_file.parse(text, "", folder)
    urls = config.directory.urls or (_directory_url(config),)
    _make_room(folder)
    made(config.place)
    role = Role.HOME if join else Role.NETWORK
    home_identity(config, config.place, role)
    pk = config.directory.key or signing.public_of(directory_key(config, config.place))
    write_private(folder / CONFIG_NAME, text)
    return _next_steps(folder / CONFIG_NAME, config, role, JoinLink(urls, pk, config.name))


def _places(public_urls: list[str]) -> dict[str, Any]:
    """Where to listen for clients that come to `public_urls`: who speaks TLS does so for us, and is on this machine.

    It is believed where clients are, as all of them would else be one source, with one source's limits.
    """
    parts = [urlsplit(url) for url in public_urls]
    places: dict[str, Any] = {"listen.host": "127.0.0.1", "listen.port": _PORT}
    for part in parts:
        if part.scheme == "http":
            places |= {"listen.host": "0.0.0.0", "listen.port": part.port or 80}  # noqa: S104  # a public server
        elif part.scheme == "tcp":
            places |= {"listen.host": "0.0.0.0", "listen.tcp_port": part.port or 0}  # noqa: S104
        elif part.scheme in ("https", "wss"):
            places["listen.trusted_proxies"] = ["127.0.0.1", "::1"]
    return places


def _make_room(folder: Path) -> None:
    for there in (folder / CONFIG_NAME, folder / "data"):
        if there.exists():
            raise StartFailed(f"{there} is there already, and nothing was changed: name another place")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as fault:
        raise StartFailed(f"cannot make {folder}: {fault.strerror}") from None


def _directory_url(config: ServerConfig) -> str:
    for url in config.listen.public_urls:
        if url.startswith("http"):
            return urljoin(url, "directory")
    raise StartFailed("a directory is reached over HTTP: give a --public-url with http or https, too")


def _next_steps(file: Path, config: ServerConfig, role: Role, link: JoinLink) -> str:
    first = config.listen.public_urls[0]
    host = urlsplit(first).hostname
    run = "xirtam-server" if role is Role.NETWORK else f"xirtam-server {role.value}"
    steps = [f"DNS: let {host} lead to this machine."]
    if first.startswith("https"):
        steps.append(
            f"TLS: let a reverse proxy answer {first} and pass everything on to http://127.0.0.1:{config.listen.port}/ "
            "with X-Forwarded-For, which is believed from this machine (docs/self-host.md has one for Caddy and one for nginx)."
        )
    steps.append(f"Start it:\n       {run} --config {file}")
    if role is Role.HOME:
        steps.append(f"Tell the directory where it is:\n       xirtam-server register-name --config {file}")
    steps += [
        f"Let people in:\n       xirtam register NAME --join '{link}'",
        f"Keep a copy of {config.place} in a safe place: who loses the keys loses the name.",
    ]
    numbered = "\n".join(f"  {number}. {step}" for number, step in enumerate(steps, 1))
    return f"Wrote {file} and the keys of {config.name}. Next:\n\n{numbered}\n"
