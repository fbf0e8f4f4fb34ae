"""HTTP routes and sockets of the gateway, one module per resource."""
