"""QR codes on a terminal, for what another screen is to read."""

import io


def qr_code(text: str) -> str:
    """A QR code of `text` as lines of a terminal, two dots of it in a character."""
    import segno

    picture = io.StringIO()
    segno.make_qr(text).terminal(picture, compact=True)
    return picture.getvalue().rstrip("\n")
