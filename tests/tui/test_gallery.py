"""The gallery shows what there is."""

from screenshots import render
from screenshots.gallery import GALLERY
from tests.tui.states import STATES

SHOTS = [shot for shots in GALLERY.values() for shot in shots]


def test_every_picture_is_of_a_state_that_the_snapshots_hold_and_has_a_name_of_its_own() -> None:
    assert {shot.state for shot in SHOTS} <= set(STATES)
    assert len({shot.name for shot in SHOTS}) == len(SHOTS)


def test_all_pictures_are_there_and_the_page_shows_them() -> None:
    drawn = {path.stem for path in render.HERE.glob("*.svg")}
    assert drawn == {shot.name for shot in SHOTS} | {"two-people"}
    assert (render.HERE / "README.md").read_text() == "\n".join(render.page()) + "\n"


def test_the_readme_shows_only_pictures_that_are_there() -> None:
    shown = [part.split(")")[0] for part in (render.HERE.parent / "README.md").read_text().split("](screenshots/")[1:]]
    assert len(shown) > 5
    assert [name for name in shown if not (render.HERE / name).is_file()] == []
