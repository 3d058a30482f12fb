"""Makes an exported picture our own: nothing in it is fetched from elsewhere, and it changes only when the screen does."""

import re
from pathlib import Path

HERE = Path(__file__).resolve().parent


def save(name: str, svg: str) -> None:
    """Writes `NAME.svg` beside this file: without web fonts, and with ids that are not drawn at random."""
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"terminal-\d+-", f"{name}-", svg)
    svg = svg.replace("Fira Code, monospace", "'Fira Code', 'DejaVu Sans Mono', Menlo, Consolas, monospace")
    (HERE / f"{name}.svg").write_text(svg)
    print(f"screenshots/{name}.svg")
