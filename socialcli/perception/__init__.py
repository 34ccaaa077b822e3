"""What cameras and microphones tell: people in frames, tracks through shots, speech and voices, who is speaking.

- `contract`: what plug-ins provide, and what passes between them.
- `sight`: from frames to shots with tracks, by a detector, a tracker (`tracking`), `shots` and `appearance`.
- `people`: tracks of the same person joined, and the boxes of people from those of faces.
- `hearing`: the built-in parts for sound: `voices` finds speech and compares voices, `mouths` sees whose mouth moves.
- `crops`: the crops of a face that active speaker detectors take.
- `spectra`, `speech`: features of sound, and stretches of speech, for parts to share.

May import: errors, video.
"""
