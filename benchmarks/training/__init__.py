"""Training loops side by side: tokens a second of ours, of transformers', of nanoGPT's way and of TRL's."""
