"""Media: files that clients bring and files that customers send.

Process: worker, whatsapp.
"""

from services.media.checks import MediaCheck
from services.media.commands import MediaCommands
from services.media.kinds import MediaRefused
from services.media.multipart import FilePart, FormRefused, read_form
from services.media.projection import project_media
from services.media.records import Media, MediaOrigin
from services.media.remote_files import RemoteFileFailed, RemoteFiles
from services.media.repository import BUCKET, MEDIA, MediaRepository
from services.media.sending import MediaForSending
from services.media.service import MediaService, NoSuchMedia, OpenMedia
from services.media.uploads import MediaUploads
from services.media.urls import MediaUrls

__all__ = [
    "BUCKET",
    "MEDIA",
    "FilePart",
    "FormRefused",
    "Media",
    "MediaCheck",
    "MediaCommands",
    "MediaForSending",
    "MediaOrigin",
    "MediaRefused",
    "MediaRepository",
    "MediaService",
    "MediaUploads",
    "MediaUrls",
    "NoSuchMedia",
    "OpenMedia",
    "RemoteFileFailed",
    "RemoteFiles",
    "project_media",
    "read_form",
]
