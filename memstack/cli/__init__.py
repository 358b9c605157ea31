"""The command `memstack`, with the extra `[cli]`: a thin layer over the blocking client.

`app.py` has the tree of commands; each group is a module of its own. What takes long to import is
imported by the command that needs it, so that `--help` and completion are quick.
"""
