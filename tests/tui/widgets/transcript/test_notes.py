"""What stands under a message."""

import msgspec

from tests.tui.demo import bobby
from xirtam_core.chat import Reaction
from xirtam_core.names import Username
from xirtam_tui.widgets.transcript.notes import notes

ALICE, BOBBY = Username("@alice"), Username("@bobby")


def test_ones_own_reaction_is_said_to_be_yours_and_comes_first() -> None:
    message = msgspec.structs.replace(bobby()[0], reactions=(Reaction("👍", (BOBBY, ALICE)), Reaction("🎉", (BOBBY,))))
    assert notes(message, ALICE) == [("└ 👍 you, bobby   🎉 bobby", False)]


def test_of_a_crowd_that_reacts_a_few_are_named_and_the_rest_counted() -> None:
    crowd = tuple(Username(f"@member_{number}") for number in range(10, 300))
    message = msgspec.structs.replace(bobby()[0], reactions=(Reaction("👍", (*crowd, ALICE)),))
    assert notes(message, ALICE) == [("└ 👍 you, member_10, member_11, member_12 and 287 more", False)]
