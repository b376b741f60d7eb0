"""idms: scheduled, journalled data jobs for iMIS."""

__version__ = "0.1.0"
