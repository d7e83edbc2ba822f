"""Conversations: one number with one contact, what was said last, what is unread.

Process: worker, whatsapp.
"""

from services.conversations.addresses import MOST_ADDRESSES, holders_of, key_at, keys_of, surplus
from services.conversations.cache import ConversationCache
from services.conversations.commands import ConversationCommands
from services.conversations.projection import NOTES, project_conversation
from services.conversations.records import Conversation, Note
from services.conversations.repository import ConversationFilter, ConversationRepository
from services.conversations.requests import parse_conversation_change, parse_note
from services.conversations.search import words_in
from services.conversations.state import CONVERSATIONS, ContactRef, ConversationState, Standing, pair_of

__all__ = [
    "CONVERSATIONS",
    "MOST_ADDRESSES",
    "NOTES",
    "ContactRef",
    "Conversation",
    "ConversationCache",
    "ConversationCommands",
    "ConversationFilter",
    "ConversationRepository",
    "ConversationState",
    "Note",
    "Standing",
    "holders_of",
    "key_at",
    "keys_of",
    "pair_of",
    "parse_conversation_change",
    "parse_note",
    "project_conversation",
    "surplus",
    "words_in",
]
