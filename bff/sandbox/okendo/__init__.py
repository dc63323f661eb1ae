"""The pretended Okendo, written from vendors' facts."""
