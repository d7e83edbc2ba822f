"""Media: files that clients bring and files that customers send.

Process: worker, whatsapp.
"""

from services.media.checks import MediaCheck
from services.media.holdings import MediaLibrary, NoSuchMedia, OpenMedia
from services.media.keeping import MediaKeeping
from services.media.kinds import MediaRefused
from services.media.links import LinkFailed, MediaLinks
from services.media.multipart import FilePart, FormRefused, read_form
from services.media.projection import project_media
from services.media.records import Media, MediaOrigin
from services.media.repository import BUCKET, MEDIA, MediaRepository
from services.media.sending import MediaForSending
from services.media.uploads import MediaUploads
from services.media.urls import MediaUrls

__all__ = [
    "BUCKET",
    "MEDIA",
    "FilePart",
    "FormRefused",
    "LinkFailed",
    "Media",
    "MediaCheck",
    "MediaForSending",
    "MediaKeeping",
    "MediaLibrary",
    "MediaLinks",
    "MediaOrigin",
    "MediaRefused",
    "MediaRepository",
    "MediaUploads",
    "MediaUrls",
    "NoSuchMedia",
    "OpenMedia",
    "project_media",
    "read_form",
]
