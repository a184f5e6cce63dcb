"""Training: releases become checkpoints."""
