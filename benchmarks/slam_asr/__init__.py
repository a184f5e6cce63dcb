"""SLAM-ASR trained on synthetic speech, measured on real people: texts, corpora, trainings, one command each.

    python -m benchmarks.slam_asr.data --speech FOLDER --texts FOLDER --to WORK     texts and real corpora
    synthgen run benchmarks/slam_asr/recipes/orders.toml …                          synthetic corpora

The commands, in order, stand in docs/results/slam_asr.md.
"""
