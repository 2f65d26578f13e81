"""What somebody might write instead: edits of a function's source, one kind a file, and the source that they change."""
