"""Starting, watching and stopping the processes of the service. Needs only the standard library."""
