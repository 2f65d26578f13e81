"""User code run so that nothing leaks, in this process or in one beside it: what it changes is put back."""
