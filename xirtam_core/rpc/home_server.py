"""The methods of a home server, and their errors (spec: rpc.md, Methods; extensions.md)."""

from collections.abc import Mapping

from xirtam_core.codec.integers import U32, U64, NanoTimestamp, Timestamp
from xirtam_core.codec.primitives import AuthToken, Hash, Signature
from xirtam_core.codec.wire import Wire
from xirtam_core.errors import Refused, RetryLater
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.attachment import Leaf, Node
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.mailbox import MailboxAcl, MailboxEntry, ReceiveFrom
from xirtam_core.protocol.medium_key import SignedMediumKey
from xirtam_core.protocol.profile import UserProfile
from xirtam_core.rpc.envelope import METHOD_ERROR, Fault
from xirtam_core.rpc.service import MethodError, RawJson, Service, method


class ServerError(MethodError):
    """What a home server's methods may answer instead of a result (spec: rpc.md, Home-server errors)."""

    @classmethod
    def from_fault(cls, fault: Fault) -> "ServerError | None":
        match fault.data:
            case "access_denied":
                return AccessDenied()
            case "retry_later":
                return ServerBusy()
            case "not_supported":
                return ProxyNotSupported()
            case {"upstream": str(reason)}:
                return UpstreamFailed(reason[:500])
            case _:
                return None


class AccessDenied(ServerError, Refused):
    """A refusal for good."""

    def __init__(self) -> None:
        super().__init__("access denied")

    def fault(self) -> Fault:
        return Fault(METHOD_ERROR, "access denied", "access_denied")


class ServerBusy(ServerError, RetryLater):
    """Overload, an unreachable directory, or a fault inside the server."""

    def __init__(self) -> None:
        super().__init__("rate limited, retry later")

    def fault(self) -> Fault:
        return Fault(METHOD_ERROR, "rate limited, retry later", "retry_later")


class ProxyNotSupported(ServerError, Refused):
    """The server does not forward, or not for this token."""

    def __init__(self) -> None:
        super().__init__("proxying not supported")

    def fault(self) -> Fault:
        return Fault(METHOD_ERROR, "proxying not supported", "not_supported")


class UpstreamFailed(ServerError, Refused):
    """The target of a forwarded call is unknown, unreachable or too slow."""

    def __init__(self, reason: str) -> None:
        super().__init__(f'upstream error: "{reason}"')
        self.reason = reason

    def fault(self) -> Fault:
        return Fault(METHOD_ERROR, str(self), {"upstream": self.reason})


class Challenge(Wire):
    """A nonce to sign within its time, once (spec: extensions.md, Device authentication)."""

    challenge: Hash
    expires: Timestamp


class ServerLimits(Wire):
    """What a server accepts: sizes in bytes, times in seconds (0: no limit)."""

    max_message_bytes: U32
    max_ttl: U32
    fragment_quota: U64 | None = None
    """All fragments of one user together, in bytes of BCS; None where the server does not say."""
    max_fragment_bytes: U32 | None = None
    """One fragment, in bytes of BCS."""


class ServerInfo(Wire):
    """What a server is and can do (spec: extensions.md)."""

    server_name: ServerName
    software: str
    features: tuple[str, ...]
    limits: ServerLimits
    registration: str | None = None
    """Whom it takes as new users: "open", "invite" or "closed"; None where it does not say."""


class HomeServer(Service):
    """What a home server answers. A reference server lacks `v1_server_info`, the two halves of the challenge, `v1_redeem_invite`
    and `v1_mailbox_acl_list`."""

    @method("v1_server_info", errors=ServerError)
    async def server_info(self) -> ServerInfo: ...

    @method("v1_device_auth_start", errors=ServerError)
    async def device_auth_start(self, username: Username) -> Challenge: ...

    @method("v1_device_auth_finish", errors=ServerError)
    async def device_auth_finish(
        self, username: Username, chain: CertificateChain, challenge: Hash, signature: Signature
    ) -> AuthToken: ...

    @method("v1_device_auth", errors=ServerError)
    async def device_auth(self, username: Username, chain: CertificateChain) -> AuthToken: ...

    @method("v1_redeem_invite", errors=ServerError)
    async def redeem_invite(self, username: Username, invite: AuthToken) -> None: ...

    @method("v1_device_certs", errors=ServerError)
    async def device_certs(self, username: Username) -> Mapping[Hash, CertificateChain] | None: ...

    @method("v1_device_medium_pks", errors=ServerError)
    async def device_medium_pks(self, username: Username) -> Mapping[Hash, SignedMediumKey]: ...

    @method("v1_device_add_medium_pk", errors=ServerError)
    async def device_add_medium_pk(self, auth: AuthToken, key: SignedMediumKey) -> None: ...

    @method("v1_profile", errors=ServerError)
    async def profile(self, username: Username) -> UserProfile | None: ...

    @method("v1_profile_set", errors=ServerError)
    async def profile_set(self, username: Username, profile: UserProfile) -> None: ...

    @method("v1_mailbox_send", errors=ServerError)
    async def mailbox_send(self, auth: AuthToken, mailbox: Hash, message: Blob, ttl: U32) -> NanoTimestamp: ...

    @method("v1_mailbox_multirecv", errors=ServerError, waits=True)
    async def mailbox_multirecv(
        self, mailboxes: tuple[ReceiveFrom, ...], timeout_ms: U64
    ) -> Mapping[Hash, tuple[MailboxEntry, ...]]: ...

    @method("v1_mailbox_acl_edit", errors=ServerError)
    async def mailbox_acl_edit(self, auth: AuthToken, mailbox: Hash, acl: MailboxAcl) -> None: ...

    @method("v1_mailbox_acl_list", errors=ServerError)
    async def mailbox_acl_list(self, auth: AuthToken, mailbox: Hash) -> tuple[MailboxAcl, ...]: ...

    @method("v1_register_group", errors=ServerError)
    async def register_group(self, auth: AuthToken, group: Hash) -> None: ...

    @method("v1_proxy_server", errors=ServerError)
    async def proxy_server(self, auth: AuthToken, server: ServerName, request: RawJson) -> RawJson: ...

    @method("v1_proxy_directory", errors=ServerError)
    async def proxy_directory(self, auth: AuthToken, request: RawJson) -> RawJson: ...

    @method("v1_upload_frag", errors=ServerError)
    async def upload_frag(self, auth: AuthToken, fragment: Node | Leaf, ttl: U32) -> None: ...

    @method("v1_download_frag", errors=ServerError)
    async def download_frag(self, fragment: Hash) -> Node | Leaf | None: ...
