"""config.settings"""

from config.settings.fields import Settings
from config.settings.load import SettingsRefused, load_settings

__all__ = [
    "Settings",
    "SettingsRefused",
    "load_settings",
]
