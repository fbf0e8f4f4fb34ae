"""The version of the wire contract."""

API_VERSION = "1.0.0-alpha.2"
