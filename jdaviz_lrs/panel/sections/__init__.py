"""The parts of the panel: each is shown the state, and its actions return what they change."""
