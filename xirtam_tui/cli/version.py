"""The version that is installed."""

from importlib.metadata import version as installed


def version() -> str:
    """The version of the package."""
    return installed("xirtam")
