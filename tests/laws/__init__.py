"""What holds for every route, page and answer."""
