"""The command line: subcommands that run without a window."""
