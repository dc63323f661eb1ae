"""What the service says, in the languages of its catalogues: texts, numbers, money and dates."""
