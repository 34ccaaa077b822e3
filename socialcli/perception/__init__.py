"""What cameras and microphones tell: people in frames, tracks through shots, speech and voices, who is speaking.

- `contract`: what plug-ins provide, and what passes between them.
- `hearing`: the built-in parts for sound: `voices` finds speech and compares voices, `mouths` sees whose mouth moves.
- `crops`: the crops of a face that active speaker detectors take.
- `spectra`, `speech`: features of sound, and stretches of speech, for parts to share.

May import: nothing.
"""
