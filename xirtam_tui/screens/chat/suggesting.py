"""What is offered while one writes: commands, and emoji by their names."""

from xirtam_tui.actions import Situation
from xirtam_tui.widgets.composer import Composer, emoji, slash
from xirtam_tui.widgets.composer.suggestions import Offer


def offers_for(composer: Composer, now: Situation) -> tuple[str, list[Offer]]:
    """What has been begun before the cursor, and what it could become; nothing where nothing has."""
    before = composer.before_cursor
    if before == composer.text and (command := slash.command_begun(before)) is not None:
        return command, slash.offers(command, now)
    if (name := emoji.emoji_begun(before)) is not None:
        return name, emoji.offers(name)
    return "", []
