"""What the engine tells while something begins, shown by the app."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

News = TypeVar("News")


def from_the_engine(show: Callable[[News], None]) -> Callable[[News], None]:
    """`show`, to be called in the engine's thread."""
    loop = asyncio.get_running_loop()

    def show_soon(news: News) -> None:
        loop.call_soon_threadsafe(show, news)

    return show_soon
