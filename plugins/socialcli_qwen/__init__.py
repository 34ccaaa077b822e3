"""What the plug-ins of the Qwen-VL families share: numbering of tokens, sizes of frames, and their adapters' base."""
