"""Workflows: how steps are checked, what their templates see, how they are done one after the other and journalled."""
