"""Spreadsheets: read in a guarded child process, described by their columns, written with formats."""
