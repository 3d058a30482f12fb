"""The list of chats."""

from xirtam_tui.widgets.contact_list.contact_list import ContactList

__all__ = ["ContactList"]
