"""Profiles: kept when a device of the user signed them and they are newer than the one there (spec: rpc.md, Profiles)."""

import asyncio
from collections.abc import Iterable

from xirtam_core.codec import bcs
from xirtam_core.codec.integers import LATEST
from xirtam_core.names import Username
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.profile import UserProfile
from xirtam_core.rpc.home_server import AccessDenied
from xirtam_server.storage.interface import HomeStore


async def publish(store: HomeStore, username: Username, profile: UserProfile, max_bytes: int) -> None:
    """Replaces the user's profile; raises `AccessDenied`."""
    if profile.created > LATEST or len(bcs.encode(profile)) > max_bytes:
        raise AccessDenied
    chains = await store.chains(username)
    if not await asyncio.to_thread(_is_signed_by_any, profile, chains.values()):
        raise AccessDenied
    if not await store.set_profile(username, profile):
        raise AccessDenied


def _is_signed_by_any(profile: UserProfile, chains: Iterable[CertificateChain]) -> bool:
    return any(profile.is_signed_by(chain.this.pk) for chain in chains)
