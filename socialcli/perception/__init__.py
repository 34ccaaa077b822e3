"""What cameras and microphones tell: people in frames, tracks through shots, speech and voices, who is speaking.

- `contract`: what plug-ins provide, and what passes between them.
- `sight`: from frames to shots with tracks, by a detector, a tracker (`tracking`), `shots` and `appearance`.
- `people`: tracks of the same person joined, and the boxes of people from those of faces.

May import: errors, video.
"""
