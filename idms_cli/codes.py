"""The stable words for what is wrong with one row; README.md says of each when it is used and what is then said."""

from typing import Literal

ReadCode = Literal[
    "ragged", "quote", "nul", "width", "cell", "syntax", "nested", "unknown-column", "no-character", "several-rows",
    "raw",
]  # fmt: skip
"""The row could not be read as one cell for each column."""

Code = Literal[
    ReadCode,
    # a cell is not what the property takes
    "too-long", "not-a-choice", "not-an-integer", "not-a-number", "out-of-range", "too-precise", "not-a-boolean",
    "not-a-date", "unclear", "not-in-lookup", "template", "condition", "no-text",
    # the record cannot be told
    "blank-match", "double", "no-match", "many-matches", "search-ignored",
    # it must not be written so
    "required", "key", "other-key", "exists", "absent", "gone", "changed-since", "not-allowed", "not-deletable",
    "many-roles", "unknown-property", "unknown-group", "unknown-role", "unknown-type",
    # the site
    "refused", "validation", "forbidden", "not-found", "conflict", "server-error", "site-error", "unknown", "not-sent",
]  # fmt: skip
"""What is wrong with one row, in one word that never changes its meaning."""
