"""Personal data, sealed per person: to erase a person is to erase a key."""
