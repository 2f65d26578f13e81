"""The trial that decides, those that only look, and the account of what was drawn and found."""
