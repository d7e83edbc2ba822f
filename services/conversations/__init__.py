"""Conversations: one number with one contact, what was said last, what is unread.

Process: worker, whatsapp.
"""

from services.conversations.addresses import MOST_ADDRESSES, holders_of, key_at, keys_of, surplus
from services.conversations.commands import ConversationCommands
from services.conversations.directory import CONVERSATIONS, ContactRef, Directory, Standing, pair_of
from services.conversations.projection import NOTES, project_conversation
from services.conversations.records import Conversation, Note
from services.conversations.repository import ConversationFilter, ConversationRepository
from services.conversations.standing_reader import StandingReader

__all__ = [
    "CONVERSATIONS",
    "MOST_ADDRESSES",
    "NOTES",
    "ContactRef",
    "Conversation",
    "ConversationCommands",
    "ConversationFilter",
    "ConversationRepository",
    "Directory",
    "Note",
    "Standing",
    "StandingReader",
    "holders_of",
    "key_at",
    "keys_of",
    "pair_of",
    "project_conversation",
    "surplus",
]
