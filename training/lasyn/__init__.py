"""LaSyn (Lu et al. 2023): texts become latents of a frozen lower encoder, as if spoken, and train what is above it.

recogniser     a recogniser with a named split; frozen, it is a guide
listening      a language model that listens as a guide: latents are slots among its words
guides         what either is to those who learn through it
phones         what synthesisers read: phones of texts, some of them masked
slots          slots of texts, made on the fly for `training.jstip`
fixed          the synthesiser that gives a text one latent sequence
guided         it learns from texts alone, through the frozen guide
matching       and is pulled to where real latents lie
dual           the upper part learns from real latents and from those that a synthesiser makes on the fly
autoencoder    latents made small
edm            diffusion as Karras et al. have it: preconditioning, loss, Heun's sampler, guidance
unet, denoiser its network, which is told text, level and voice
diffusion      the synthesiser that gives a text another latent sequence each time
loading        synthesisers and autoencoders out of checkpoints
methods, diffusing  their recipe tables
pairs          real latents of takes, and those made of their texts
distances, likeness how far the ones are from the others, and all else that tells of their quality
quality, telling    a report on a synthesiser, kept as rows
reports             its row in the catalog
"""
