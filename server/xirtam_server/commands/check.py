"""`check`: looks at all that a server has on its disk, and says what is wrong and what to do about it. It changes nothing."""

import resource
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from xirtam_core.crypto import signing
from xirtam_core.errors import XirtamError
from xirtam_server.commands import check_directory, check_home
from xirtam_server.commands.problem import Problem
from xirtam_server.config import FRAGMENTS, HOME_DATABASE, ServerConfig, StartFailed
from xirtam_server.data_dir import DIRECTORY_DATABASE
from xirtam_server.identity import DIRECTORY_KEY, SERVER_KEY, find_key, find_name

_LEAST_FREE: Final = 2**30
_SPARE_FILES: Final = 200


def problems(config: ServerConfig) -> Iterator[Problem]:
    """What is wrong, as it is found; raises `StartFailed` where there is nothing to look at. A server may be running meanwhile."""
    place = config.place
    if not place.is_dir():
        raise StartFailed(f"there is no data in {place}: name the place with --data-dir or --config")
    yield from _permissions(place)
    yield from _machine(config, place)
    yield from _keys(config, place)
    home = config.home_database
    if home is None:
        yield from check_home.shared_problems(config)
    elif home.exists():
        yield from check_home.problems(home, config.fragments_folder, time.time_ns())
    if (place / DIRECTORY_DATABASE).exists():
        yield from check_directory.problems(place / DIRECTORY_DATABASE, _directory_pk(config, place))


def _permissions(place: Path) -> Iterator[Problem]:
    for path in (place, *place.iterdir()):
        if path.name != FRAGMENTS and stat.S_IMODE(path.stat().st_mode) & 0o077 and not _is_shielded(path, place):
            allowed = "700" if path.is_dir() else "600"
            yield Problem(f"{path} can be read by other users", f"chmod {allowed} {path}")


def _is_shielded(path: Path, place: Path) -> bool:
    """A database may be readable in a folder that is not; keys are for nobody's eyes, wherever they are."""
    return path != place and not path.name.endswith(".key") and not stat.S_IMODE(place.stat().st_mode) & 0o077


def _machine(config: ServerConfig, place: Path) -> Iterator[Problem]:
    free = shutil.disk_usage(place).free
    if free < _LEAST_FREE:
        yield Problem(f"only {free // 2**20} MiB are free where {place} is", "make room: a full disk stops all sending")
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = config.limits.connections.most + _SPARE_FILES
    if files != resource.RLIM_INFINITY and files < wanted:
        yield Problem(
            f"{files} open files are allowed, and limits.connections.most wants {wanted}",
            "raise LimitNOFILE (systemd) or ulimit -n, or lower limits.connections.most",
        )


def _keys(config: ServerConfig, place: Path) -> Iterator[Problem]:
    paths = {
        HOME_DATABASE: config.keys.server or place / SERVER_KEY,
        DIRECTORY_DATABASE: config.keys.directory or place / DIRECTORY_KEY,
    }
    for database, path in paths.items():
        try:
            if find_key(path) is None and (place / database).exists():
                yield Problem(
                    f"the key {path} is missing", "restore it from a backup: without it nobody knows this server"
                )
        except StartFailed as fault:
            yield Problem(str(fault), "restore the key from a backup")
    if (config.home_database or place / HOME_DATABASE).exists() and find_name(place) is None:
        yield Problem(f"{place} does not say the server's name", "restore server.name from a backup")


def _directory_pk(config: ServerConfig, place: Path) -> bytes | None:
    try:
        key = find_key(config.keys.directory or place / DIRECTORY_KEY)
    except XirtamError:
        return None
    return None if key is None else bytes(signing.public_of(key))
