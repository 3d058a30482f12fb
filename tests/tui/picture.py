"""A picture of the screen that changes only when the screen does."""

import re

from textual.widgets import Input, TextArea

from tests.tui.piloting import Driver
from xirtam_tui.screens.chat.chat import ChatScreen
from xirtam_tui.screens.sheet.at_once import AtOnce

_RUN = re.compile(r"terminal-\d+-")


async def picture(driver: Driver, title: str | None = None) -> str:
    """The screen as SVG once it has come to rest, without what changes from run to run."""
    for screen in driver.app.screen_stack:
        for field in (*screen.query(Input), *screen.query(TextArea)):
            field.cursor_blink = False
            field.notify_style_update()  # of a cursor that was between two blinks, the line is kept without it
    for _ in range(2):  # with its place, what has come into view asks for what it is to show
        for screen in driver.app.screen_stack:
            driver.app.stylesheet.update(screen)  # Textual leaves its palette in the theme that it was opened in
            screen.refresh(layout=True)  # else one below a dialog is as the dialog found it, laid out to the end or not
        await driver.pilot.pause()
        for chats in (screen for screen in driver.app.screen_stack if isinstance(screen, ChatScreen)):
            await driver.until(lambda chats=chats: chats.about.is_settled, "details there")
    for screen in driver.app.screen_stack:
        if isinstance(screen, AtOnce):
            screen.show_below()
    before = ""
    while (now := _RUN.sub("terminal-", driver.app.export_screenshot(title=title))) != before:
        before = now
        await driver.pilot.pause()
    return now
