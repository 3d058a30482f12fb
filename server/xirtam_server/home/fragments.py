"""Fragments of attachments: upload, download, expiry and quotas (spec: attachments.md)."""

import msgspec


class FragmentLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of attachments is kept. Sizes in bytes of BCS, times in seconds."""

    max_bytes: int = 720_000
    """Of one fragment, so that with its base64 form it fits an answer of 1 MiB."""
    quota_bytes: int = 5 * 2**30
    """Of all fragments that one user holds."""
    max_ttl_s: int = 0
    """Longest that a fragment is kept; 0: for ever."""
