"""Training: releases become recognisers, by one loop and many objectives.

objective            what a method trains, and the loss of a batch
backbones/           frozen encoders and language models, as they are to be had
features             encoder outputs, kept so that a frozen encoder runs once
sampling             which utterances make the next batch
loop, optim          the only training loop
checkpoint           what was trained, where it came from, and how to go on
slam_asr             a language model that listens
"""
