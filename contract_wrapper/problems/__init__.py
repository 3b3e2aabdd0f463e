"""Design problems: what a principal chooses, which game it changes, and whom it must not make worse off."""
