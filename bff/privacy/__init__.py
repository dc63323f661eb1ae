"""What is known of one person: deleting it, telling it, and who has asked for either."""
