"""What the pages say about the installed software, asked of that software when they are built."""
