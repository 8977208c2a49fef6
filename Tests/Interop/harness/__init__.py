"""Starts bitcoind, an Electrum server, Electrum and glcnode on this machine, and lets them meet."""
