"""The only way between the app and the engine."""

from xirtam_tui.bridge.batch import Batch as Batch
from xirtam_tui.bridge.bridge import Bridge as Bridge
from xirtam_tui.bridge.engine import Engine as Engine
from xirtam_tui.bridge.engine import Engines as Engines
from xirtam_tui.bridge.installed import InstalledEngines as InstalledEngines
