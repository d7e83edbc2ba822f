"""Templates: the catalogue of the WhatsApp Business Account, checked before a message is accepted.

Process: worker, whatsapp.
"""

from services.templates.checks import TemplateCheck
from services.templates.records import Template, TemplateStatus
from services.templates.repository import TemplateRepository
from services.templates.service import TemplateService
from services.templates.sync import TemplateSync

__all__ = [
    "Template",
    "TemplateCheck",
    "TemplateRepository",
    "TemplateService",
    "TemplateStatus",
    "TemplateSync",
]
