"""Every sentence a visitor reads, by key."""

from selfreg.texts.endings import ending
from selfreg.texts.labels import between_sentences, family_first, full_name, heading, label, name_of
from selfreg.texts.messages import MESSAGES, RULES_NOT_MET, notice, notices, say

__all__ = [
    "MESSAGES",
    "RULES_NOT_MET",
    "between_sentences",
    "ending",
    "family_first",
    "full_name",
    "heading",
    "label",
    "name_of",
    "notice",
    "notices",
    "say",
]
