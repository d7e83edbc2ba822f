"""Settings: `PANAL_*` variables, read once into one frozen record that every process gets as a value.

Process: all of them.
"""

from config.settings.fields import Settings, variable
from config.settings.load import SettingsRefused, load_settings, unknown_variables

__all__ = ["Settings", "SettingsRefused", "load_settings", "unknown_variables", "variable"]
