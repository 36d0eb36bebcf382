"""What the panel draws in the viewers, and what the mouse does there."""
