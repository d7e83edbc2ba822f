"""Which keys this installation has, by its settings.

Process: main, worker, whatsapp.
"""

from pathlib import Path

from config.settings import Settings
from services.vault.box import SecretBox
from services.vault.key_file import kept_key
from services.vault.keys import SecretKey


def open_box(settings: Settings) -> SecretBox:
    """The current key first: PANAL_SECRET_KEY, or the one in the data folder, which is made if there is none.

    PANAL_SECRET_KEY_PREVIOUS opens as well, and so does the key in the data folder: an installation that began
    without PANAL_SECRET_KEY keeps its secrets when it gets one. Raises ``KeyFileDamaged`` and OSError.
    """
    current = settings.secret_key.get_secret_value()
    kept = kept_key(Path(settings.data_dir), may_make=not current)
    texts = [current, settings.secret_key_previous.get_secret_value(), kept or ""]
    if not current:
        texts = [kept or "", texts[1]]
    return SecretBox([SecretKey(text) for text in dict.fromkeys(texts) if text])
