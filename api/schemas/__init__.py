"""What goes over the wire: the kinds of fields, the bodies of requests, the answers."""
