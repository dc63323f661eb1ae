"""The version of the JSON API, which moves with every change of its document: docs/api-changes.md says what changed."""

API_VERSION = "1.0.0"
