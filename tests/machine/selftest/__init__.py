"""Tests of the machine itself, with libraries made here."""
