"""How a build of one framework becomes records, one file each; nothing above knows whose model it was."""
