"""The engines that speak here, one a file."""
