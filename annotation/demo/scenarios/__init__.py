"""The dialogues. A scenario is a function of a conversation, its case, and the failures to plant in it."""
