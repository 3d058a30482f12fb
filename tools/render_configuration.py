"""Writes server/packaging/xirtam-server.toml anew from the settings' docstrings: `python tools/render_configuration.py`."""

from pathlib import Path

from xirtam_server.config_example import render

if __name__ == "__main__":
    target = Path(__file__).parent.parent / "server" / "packaging" / "xirtam-server.toml"
    target.write_text(render({}))
    print(f"wrote {target}")
