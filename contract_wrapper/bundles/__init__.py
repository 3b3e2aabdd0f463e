"""Studies and landscapes as one file that can be handed on, and that its reader need not trust."""
