"""Tests of the client for iMIS."""
