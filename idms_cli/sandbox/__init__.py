"""A small iMIS site for the demo, for tests and for trying a job."""
