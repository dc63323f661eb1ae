"""Telling the merchant's server what shoppers did."""
