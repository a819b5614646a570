"""The wheel as users have it: built, installed into environments of its own, beside other plugins."""
