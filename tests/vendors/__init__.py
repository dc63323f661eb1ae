"""What we say to vendors, and how we read them."""
