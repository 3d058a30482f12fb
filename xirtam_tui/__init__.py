"""The application and the command line."""

import os

# How often a second Textual paints at most, which it reads when it is imported. A key waits for the next turn after whatever was
# painted last, so this is less about smoothness than about how soon a letter shows. What does not change is not painted.
os.environ.setdefault("TEXTUAL_FPS", "120")
