"""What cameras and microphones tell: people in frames, tracks through shots, speech and voices, who is speaking.

- `contract`: what plug-ins provide, and what passes between them.

May import: errors.
"""
