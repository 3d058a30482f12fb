"""Everything that xirtam raises on purpose, as one small tree.

    XirtamError
    ├── Malformed                 bytes or JSON that do not decode, or a value outside its type
    │   └── InvalidName           a user or server name that does not match its pattern
    ├── Unverified                a signature, chain, proof or history that does not hold
    │   └── SecurityAlarm         evidence of a lie: never retried, shown until a person has seen it
    │       ├── Equivocation      a directory that told two stories
    │       └── IdentityChanged   a known user's root key is another than before
    ├── Unreachable               a server or directory that did not answer, or not in its own terms
    │   └── NotConnected          … since no connection came about, so nothing was sent
    ├── Refused                   a server that answered no
    │   ├── RetryLater            … for now
    │   ├── RecoveryKeyNeeded … since only the recovery key can go on with it
    │   └── NewcomerRefused       … to somebody who has no account there, since it takes nobody new, or not without an invite
    ├── NotFound                  no such user, account, server or message
    ├── Locked                    the account's key is missing or does not open it
    │   ├── InUse                 another process has the account open
    │   └── PassphraseNeeded      the key comes from a passphrase, and none was given
    ├── AccountExists             an account of that name is on this machine already
    └── StorageFault              the disk does not do what it should
        ├── DiskFull              … since no room is left
        ├── ReadOnly              … since it must not be written to
        └── Damaged               … since what was written is not what is read

The message of each is for a person: what happened, what was kept, what to do next. Exit codes are in the command line.
"""


class XirtamError(Exception):
    """The root: catch this to handle whatever xirtam raises on purpose."""


class Malformed(XirtamError, ValueError):
    """Input that does not decode (spec: encoding.md)."""


class InvalidName(Malformed):
    """A user or server name outside its pattern (spec: encoding.md, Names)."""


class Unverified(XirtamError):
    """A signature, certificate chain, proof or history that does not hold."""


class SecurityAlarm(Unverified):
    """Evidence that somebody lies. Never retried; shown until a person has acknowledged it."""


class Equivocation(SecurityAlarm):
    """A directory served a log that contradicts the one it served before (spec: directory.md, RPC).

    `proof` is what it signed, as JSON.
    """

    def __init__(self, message: str, proof: str = "{}") -> None:
        super().__init__(message)
        self.proof = proof


class IdentityChanged(SecurityAlarm):
    """A known user's root certificate hash changed (spec: client.md, Trust)."""


class Unreachable(XirtamError):
    """No usable answer: no connection, a time-out, or something that is not the protocol."""


class NotConnected(Unreachable):
    """No connection came about, so the call has certainly not reached anybody."""


class Refused(XirtamError):
    """A server understood the call and said no."""


class RetryLater(Refused):
    """A server said no for now."""


class NewcomerRefused(Refused):
    """A home server takes no new users, or not without an invite that counts."""


class RecoveryKeyNeeded(Refused):
    """The account's recovery key has to be given: nothing else owns its name."""


class NotFound(XirtamError):
    """There is no such user, server, account, chat or message."""


class Locked(XirtamError):
    """The account is open in another process, or the key given does not open it."""


class InUse(Locked):
    """Another process has the account open."""


class PassphraseNeeded(Locked):
    """The account's key comes from a passphrase, and none was given."""


class AccountExists(XirtamError):
    """An account of that name is on this machine already."""


class StorageFault(XirtamError):
    """The disk does not do what it should. What was stored before stays; the change at hand was not made, all of it."""


class DiskFull(StorageFault):
    """There is no room left on the disk."""


class ReadOnly(StorageFault):
    """The account's files must not be written to by this user, or at all."""


class Damaged(StorageFault):
    """A file of the account is not as it was written."""
