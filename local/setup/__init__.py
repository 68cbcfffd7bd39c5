"""Makes a fresh machine ready: the ODBC libraries, Node.js where there is none, and Azurite.

    python -m local.setup

Safe to run at any time: what is there already is left alone. Needs no root; as root it installs
Debian's packages properly instead of unpacking them into the project's folder.
"""
