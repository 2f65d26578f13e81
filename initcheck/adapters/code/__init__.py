"""What an object would do if it were called, read off its code objects: nothing here calls anything."""
