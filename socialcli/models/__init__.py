"""Models: the contract that a model's adapter fulfils, and the base class of adapters for transformers models.

- `contract`: what a plug-in implements and everything else calls, on one page: `ModelSpec`, `LoadOptions`, `Adapter`.
- `huggingface`: the base class that plug-ins subclass. It ties together:
- `loading` and `checkpoints/`: from a checkpoint's name to model and processor in memory, checked on the way;
- `prompts`: from text to token ids, spans and padded batches; `lora`: a LoRA adapter on top of the weights.
- `transformers_internals`: every private interface of transformers that is used here.

May import: alignment, errors, logs, video.
"""
