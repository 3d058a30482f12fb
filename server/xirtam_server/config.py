"""All that a server is told, as one tree of sections: the configuration file's shape, with everything's default.

Each section is declared where its concept lives; this module puts them together. Flags override the file (`cli`), which overrides the
defaults.
"""

from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final

import msgspec

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.errors import XirtamError
from xirtam_core.names import ServerName
from xirtam_core.protocol.directory import ServerUrl
from xirtam_server.directory.admission import Bounds
from xirtam_server.directory.limits import LIMITS, MIRROR_LIMITS, DirectoryLimits, MirrorLimits
from xirtam_server.home.fragments import FragmentLimits
from xirtam_server.home.limits import HomeLimits
from xirtam_server.home.proxying import ProxyPolicy
from xirtam_server.home.rates import UNLIMITED, RateLimits
from xirtam_server.home.registration import RegistrationPolicy
from xirtam_server.home.settings import HomeSettings
from xirtam_server.log import LogSettings
from xirtam_server.storage.limits import StoreLimits
from xirtam_server.storage.opening import is_shared, sqlite_path
from xirtam_server.storage.postgres.settings import PostgresSettings
from xirtam_server.transports.connections import ConnectionLimits
from xirtam_server.transports.tls import TlsFiles

HOME_DATABASE: Final = "home.db"
FRAGMENTS: Final = "fragments"
PUBLIC_EFFORT: Final = 1000
_PRIVATE_CHUNK_DELAY_S: Final = 0.1
_PUBLIC_CHUNK_DELAY_S: Final = 1.0
"""In a private network nobody gains from collecting updates for long, and newcomers wait for them."""

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class StartFailed(XirtamError):
    """The server cannot start; the text says why and what to do, in one line."""


class BadConfiguration(XirtamError):
    """What the server was told makes no sense; the text says where and what is allowed, in one line."""


class Role(StrEnum):
    """What a process does."""

    NETWORK = "network"
    """A directory and a home server that is registered in it."""
    HOME = "home"
    """A home server of a network whose directory is elsewhere."""
    DIRECTORY = "directory"
    """A directory alone."""
    MIRROR = "mirror"
    """A copy of a directory that is elsewhere, verified and kept up to date."""

    @property
    def serves_directory(self) -> bool:
        """Whether others ask it for names."""
        return self is not Role.HOME

    @property
    def serves_home(self) -> bool:
        """Whether it keeps mailboxes."""
        return self in (Role.NETWORK, Role.HOME)


class ListenSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where clients are let in, and what they are told of it. Port 0 is a free one."""

    host: str = "127.0.0.1"
    """The address to listen on; 0.0.0.0 or :: for all, which needs `public_urls`."""
    port: Port | None = None
    """For HTTP; unset: that of the last start, else a free one, so that the join link holds."""
    tcp_port: Port | None = None
    """For TCP; unset: none."""
    lz4_port: Port | None = None
    """For TCP inside LZ4; unset: none."""
    tls_certificate: Path | None = None
    """A certificate chain in PEM, for HTTP and WebSocket, read anew when it changes; unset: they are plain."""
    tls_key: Path | None = None
    """The certificate's key, in PEM."""
    tls_check_s: float = 60.0
    """How often, in seconds, to look whether the two have changed; a SIGHUP makes the server look at once."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of reverse proxies whose X-Forwarded-For is believed; of anybody else's it is not looked at."""
    public_urls: tuple[ServerUrl, ...] = ()
    """How clients reach this server, best first, like "https://chat.example.org/"; empty: at the addresses listened on."""

    def __post_init__(self) -> None:
        first = self.public_urls[0].partition(":")[0] if self.public_urls else "http"
        if first not in ("http", "https", "tcp", "lz4tcp"):
            raise ValueError("the first of public_urls must be http, https, tcp or lz4tcp: old clients use no other")
        if (self.tls_certificate is None) is not (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together: give both")

    @property
    def tls(self) -> TlsFiles | None:
        """Where the certificate is."""
        if self.tls_certificate is None or self.tls_key is None:
            return None
        return TlsFiles(self.tls_certificate, self.tls_key, self.tls_check_s)

    @property
    def is_private(self) -> bool:
        """Whether only this machine is let in."""
        try:
            return not self.public_urls and ip_address(self.host).is_loopback
        except ValueError:
            return not self.public_urls and self.host == "localhost"


class StorageSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the home server keeps what it keeps, if not in the data directory."""

    database: str | None = None
    """sqlite:PATH, or postgresql://USER@HOST/NAME for several processes; unset: home.db in the data directory."""
    fragments: str | None = None
    """Attachments: the path of a folder, or s3://BUCKET/PREFIX; unset: fragments/ in the data directory, which a database of
    PostgreSQL does not allow, as its processes share them, too."""


class KeyFiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Secret keys that are kept elsewhere than in the data directory: for several processes with one identity."""

    server: Path | None = None
    """The home server's key; unset: server.key in the data directory, made at the first start."""
    directory: Path | None = None
    """The directory's key; unset: directory.key in the data directory, made at the first start."""


class DirectorySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The directory that this server uses, and how one of its own works. Times in seconds."""

    urls: tuple[str, ...] = ()
    """Where the directory is, for a home server without one of its own."""
    key: SigningPublic | None = None
    """The public key of that directory, as in its join link."""
    pow_effort: Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)] | None = None
    """Work that is asked for a change; unset: 1 where only this machine is let in, else 1000, some ten seconds."""
    chunk_delay_s: float | None = None
    """How long updates are collected before they are logged; unset: 0.1 where only this machine is let in, else 1."""
    heartbeat_s: float = 3600.0
    """After so long without a change, a header says that the directory lives."""
    seed_valid_s: int = 600
    """How long a client may take for the work."""


class MetricsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where operators and their tools ask for /health and /metrics. Not for the public: there is no password."""

    host: str = "127.0.0.1"
    """The address that they ask at."""
    port: Port | None = None
    """Unset: nowhere; 0: a free one."""
    health_timeout_s: float = 5.0
    """A write that takes longer than this counts as failed."""
    stats_every_s: float = 60.0
    """How old the counts of what the store holds may be, which take a while to make; 0: made each time."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bounds of everything."""

    home: HomeLimits = HomeLimits()
    store: StoreLimits = StoreLimits()
    connections: ConnectionLimits = ConnectionLimits()
    rates: RateLimits = RateLimits()
    fragments: FragmentLimits = FragmentLimits()
    directory: Bounds = Bounds()
    directory_callers: DirectoryLimits = LIMITS
    mirror: MirrorLimits = MIRROR_LIMITS


class ServerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A server, whatever its role."""

    data_dir: Path | None = None
    """Where keys and messages are kept; unset: the platform's place for data."""
    name: ServerName | None = None
    """The home server's name; unset: the one it has, or one made up at the first start of a private network."""
    legacy_device_auth: bool = False
    """Whether old clients are let in, which do not prove that they hold a device's key: anybody could read anybody's mail."""
    exit_when_idle_s: float | None = None
    """End by itself so many seconds after the last client has left; unset: never."""
    listen: ListenSettings = ListenSettings()
    storage: StorageSettings = StorageSettings()
    postgres: PostgresSettings = PostgresSettings()
    keys: KeyFiles = KeyFiles()
    directory: DirectorySettings = DirectorySettings()
    registration: RegistrationPolicy = RegistrationPolicy()
    limits: Limits = Limits()
    proxy: ProxyPolicy = ProxyPolicy()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()

    @property
    def pow_effort(self) -> int:
        """Work that the directory asks for a change."""
        return self.directory.pow_effort or (1 if self.listen.is_private else PUBLIC_EFFORT)

    @property
    def chunk_delay_s(self) -> float:
        """How long the directory collects updates."""
        told = self.directory.chunk_delay_s
        if told is not None:
            return told
        return _PRIVATE_CHUNK_DELAY_S if self.listen.is_private else _PUBLIC_CHUNK_DELAY_S

    @property
    def place(self) -> Path:
        """The data directory."""
        if self.data_dir is not None:
            return self.data_dir
        from platformdirs import user_data_path

        return user_data_path("xirtam") / "server"

    @property
    def database(self) -> str:
        """Where the home server's database is."""
        return self.storage.database or f"sqlite:{self.place / HOME_DATABASE}"

    @property
    def home_database(self) -> Path | None:
        """The file that the home server's database is; None where it is no file."""
        return sqlite_path(self.database)

    @property
    def fragments(self) -> str:
        """Where attachments are kept; raises `BadConfiguration` where processes share a database and no place is named."""
        if not self.storage.fragments and is_shared(self.database):
            raise BadConfiguration(
                "attachments have no place: name one that all processes on this database share with --fragments, "
                "a folder or s3://BUCKET/PREFIX"
            )
        return self.storage.fragments or str(self.place / FRAGMENTS)

    @property
    def fragments_folder(self) -> Path | None:
        """The folder that attachments are kept in; None where it is none."""
        return None if "://" in self.fragments else Path(self.fragments)

    def home_settings(self, name: ServerName) -> HomeSettings:
        """What the home server called `name` is told."""
        limits = self.limits
        # What only this machine reaches has no strangers.
        rates = UNLIMITED if self.listen.is_private else limits.rates
        return HomeSettings(
            name, limits.home, rates, self.registration, limits.fragments, self.proxy, self.legacy_device_auth
        )
