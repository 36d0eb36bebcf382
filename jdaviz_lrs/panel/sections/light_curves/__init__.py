"""The section Light curves."""
