"""A small iMIS site for the demo, for tests and for trying a job: `with serve(Sandbox()) as url: ...`."""

from idms_cli.sandbox.site import Sandbox

__all__ = ["Sandbox"]
